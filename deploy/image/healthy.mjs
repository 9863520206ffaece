/**
 * `node healthy.mjs [path]` ends with 0 when the admin port of this container answers the path with success, else with 1.
 * The path is `/healthz` by default; a whole URL goes to another port. For health checks: the image has no curl.
 */
const TIMEOUT_MS = 2000;

const { HUBBUB_ADMIN_PORT: port = '8081' } = process.env;
const [path = '/healthz'] = process.argv.slice(2);

try {
  const answer = await fetch(new URL(path, `http://127.0.0.1:${port}`), { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!answer.ok) console.error(`${path}: ${answer.status} ${await answer.text()}`);
  process.exitCode = answer.ok ? 0 : 1;
} catch (error) {
  // Not listening, or too slow: both are what the caller asks about.
  console.error(`${path}: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
