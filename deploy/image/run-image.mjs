/** Runs programs out of what the steps of the Dockerfile made, as a container would: its user, its environment, its entry point. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The user `node` of the Node images. */
const IMAGE_USER = 1000;
const READY_WITHIN_MS = 20_000;

/**
 * @typedef {{ root: string, directory: string, home: string, environment: Record<string, string>, facts: Record<string, any> }} Image
 * A stage of the Dockerfile: where its root and its working directory are here, and what it says of itself.
 */

/** The entry point with other arguments than those of CMD. */
export function start(image, args, environment) {
  return spawnAs(image, [...image.facts.ENTRYPOINT, ...args], environment);
}

/** The process, what it says with `"event":"listening"`, and `stop`, which ends it as the engine would. */
export async function startListening(image, args, environment) {
  const child = start(image, args, environment);
  const end = ended(child);
  const told = await Promise.race([listening(child), end.then(refuse)]);
  return {
    told,
    async stop() {
      child.kill(image.facts.STOPSIGNAL);
      const { code, output } = await end;
      if (code !== 0) refuse({ code, output });
    },
  };
}

/**
 * Asks until the answer is yes, as HEALTHCHECK does.
 * @param toArgs what it is given here, made of what it is given there
 */
export async function healthy(image, toArgs, environment = {}) {
  const [program, script, ...args] = image.facts.HEALTHCHECK;
  const asked = toArgs(args);
  const command = [program, join(image.root, script), ...asked];
  const deadline = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const { code, output } = await ended(spawnAs(image, command, environment));
    if (code === 0) break;
    if (performance.now() > deadline) throw new Error(`HEALTHCHECK ${asked.join(' ')} stays red:\n${output}`);
  }
  console.log(`HEALTHCHECK ${asked.join(' ')}: green`);
}

export function ended(child) {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', code => resolve({ code, output }));
  });
}

/** Only root may become somebody else. */
export function userOf() {
  return process.getuid?.() === 0 ? IMAGE_USER : undefined;
}

function spawnAs(image, [program, ...args], environment) {
  const user = userOf();
  return spawn(program, args, {
    cwd: image.directory,
    env: { PATH: process.env.PATH, ...image.environment, HOME: image.home, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(user !== undefined && { uid: user, gid: user }),
  });
}

function refuse({ code, output }) {
  throw new Error(`The container would have ended with ${code}:\n${output}`);
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
