/** Runs what the steps of the Dockerfile made, as the container would: its user, its environment, its entry point. */
import { spawn } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

/** The user `node` of the Node images. */
const IMAGE_USER = 1000;
const READY_WITHIN_MS = 20_000;

/**
 * @typedef {{ root: string, directory: string, home: string, environment: Record<string, string>, facts: Record<string, any> }} Image
 */

/** @param {Image} image */
export async function tryCommandLine(image) {
  chmodSync(dirname(image.root), 0o755); // A temporary folder is its maker's alone; the image's user reads it.
  const { code, output } = await ended(start(image, ['--help'], {}));
  if (code !== 0 || !output.includes('Usage: hubbub')) throw new Error(`hubbub --help ended with ${code}:\n${output}`);
  console.log(`hubbub --help: ${output.split('\n').length} lines, as user ${userOf() ?? 'of this shell'}`);
}

/** The default command becomes ready, the health check agrees, and the stop signal ends it with 0. */
export async function tryEdge(image) {
  const environment = {
    HUBBUB_PORT: '0',
    HUBBUB_ADMIN_PORT: '0',
    HUBBUB_JWT_SECRET: 'only-for-the-rehearsal-of-the-image-steps',
    HUBBUB_DRAIN_DELAY_MS: '0',
  };
  const child = start(image, image.facts.CMD, environment);
  const end = ended(child);
  const { adminPort } = await Promise.race([listening(child), end.then(refuse)]);
  console.log(`hubbub ${image.facts.CMD.join(' ')}: admin port ${adminPort}`);
  for (const path of ['/readyz', undefined]) await healthy(image, adminPort, path);
  child.kill(image.facts.STOPSIGNAL);
  const { code, output } = await end;
  if (code !== 0) refuse({ code, output });
  console.log(`${image.facts.STOPSIGNAL}: ended with 0`);
}

function refuse({ code, output }) {
  throw new Error(`The container would have ended with ${code}:\n${output}`);
}

/** Asks until the answer is yes: HEALTHCHECK's own command, with another path if given. */
async function healthy(image, adminPort, path) {
  const [program, script, ...args] = image.facts.HEALTHCHECK;
  const command = [program, join(image.root, script), ...(path === undefined ? args : [path])];
  const deadline = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const { code, output } = await ended(spawnAs(image, command, { HUBBUB_ADMIN_PORT: String(adminPort) }));
    if (code === 0) break;
    if (performance.now() > deadline) throw new Error(`HEALTHCHECK ${path ?? ''} stays red:\n${output}`);
  }
  console.log(`HEALTHCHECK ${path ?? ''}: green`);
}

function start(image, args, environment) {
  return spawnAs(image, [...image.facts.ENTRYPOINT, ...args], environment);
}

function spawnAs(image, [program, ...args], environment) {
  const user = userOf();
  return spawn(program, args, {
    cwd: image.directory,
    env: { ...image.environment, HOME: image.home, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(user !== undefined && { uid: user, gid: user }),
  });
}

/** Only root may become somebody else. */
function userOf() {
  return process.getuid?.() === 0 ? IMAGE_USER : undefined;
}

function listening(child) {
  return new Promise(resolve => {
    createInterface({ input: child.stdout }).on('line', line => {
      if (!line.startsWith('{')) return;
      const entry = JSON.parse(line);
      if (entry.event === 'edge_started') console.log(entry.msg);
      if (entry.event === 'listening') resolve(entry);
    });
  });
}

function ended(child) {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', code => resolve({ code, output }));
  });
}
