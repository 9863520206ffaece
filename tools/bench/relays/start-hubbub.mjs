/**
 * Starts Hubbub's processes as they run in production, and waits until they are ready.
 * All settings are defaults, except for limits that the load from one machine exceeds.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { lineOf, startNode, stop } from '../machine/processes.mjs';
import { bearer, SECRET } from './token.mjs';

const MAIN = fileURLToPath(new URL('../../../apps/hubbub/dist/cli/main.js', import.meta.url));
/** All clients share one address, and some exceed the limits of one client. Counting is part of the cost, so it stays on. */
const OUT_OF_REACH = {
  HUBBUB_MAX_FRAMES_PER_SECOND: '1000000',
  HUBBUB_MAX_FRAMES_BURST: '1000000',
  HUBBUB_MAX_USER_FRAMES_PER_SECOND: '1000000',
  HUBBUB_MAX_CALLS_PER_SECOND: '10000000',
  HUBBUB_MAX_USER_CALLS_PER_SECOND: '10000000',
  HUBBUB_MAX_NAMESPACE_CALLS_PER_SECOND: '10000000',
  HUBBUB_MAX_BYTES_OUT_PER_SECOND: '10737418240',
  HUBBUB_MAX_USER_BYTES_OUT_PER_SECOND: '10737418240',
  HUBBUB_MAX_NAMESPACE_BYTES_OUT_PER_SECOND: '10737418240',
  HUBBUB_MAX_USER_STORED_BYTES: '1099511627776',
  HUBBUB_MAX_NAMESPACE_STORED_BYTES: '1099511627776',
  HUBBUB_MAX_ADDRESS_FRAMES_PER_SECOND: '10000000',
  HUBBUB_MAX_CONNECTIONS_PER_ADDRESS: '1000000',
  HUBBUB_MAX_HANDSHAKES_PER_SECOND: '1000000',
};
/** Without a balancer and without clients at the end, draining needs no time. */
const AT_ONCE = { HUBBUB_DRAIN_DELAY_MS: '0', HUBBUB_DRAIN_WINDOW_MS: '0' };
const READY_WITHIN_MS = 10_000;
const LOOK_AGAIN_MS = 50;

/**
 * @param {import('./catalogue.mjs').RelayStart & { env?: NodeJS.ProcessEnv }} start settings that differ from the defaults
 * @returns {Promise<import('./catalogue.mjs').RunningRelay & { adminPort: number, terminate: () => void, ended: Promise<unknown> }>}
 */
export async function startHubbub({ presence, helperCpus, ...start }) {
  const beside = presence ? await startPresence({ ...start, cpus: helperCpus, nodeArgs: [] }) : undefined;
  const edge = await startProcess('edge', start);
  return {
    ...edge,
    helpers: beside === undefined ? [] : beside.pids,
    presencePort: beside?.adminPort,
    headers: (member, subprotocol) => ({
      ...bearer(member),
      ...(subprotocol !== undefined && { 'Sec-WebSocket-Protocol': subprotocol }),
    }),
    async close() {
      await edge.close();
      await beside?.close();
    },
  };
}

/** @param {import('./catalogue.mjs').RelayStart & { env?: NodeJS.ProcessEnv }} start */
export function startPresence(start) {
  return startProcess('presence', start);
}

async function startProcess(role, { redisUrl, cpus, nodeArgs, env = {} }) {
  const name = `hubbub ${role}`;
  const child = startNode([...nodeArgs, MAIN, role], { name, cpus, env: { ...environment(redisUrl), ...env } });
  const troubles = [];
  child.stdout.on('data', text => troubles.push(...troublesIn(text)));
  const ended = new Promise(resolve => child.once('exit', resolve));
  const { port, adminPort } = await lineOf(child, listeningLine, { name });
  await ready(name, adminPort);
  return {
    port,
    adminPort,
    pids: [child.pid],
    ended,
    troubles: () => troubles.splice(0),
    collect: () => child.kill('SIGUSR2'),
    kill: () => child.kill('SIGKILL'),
    terminate: () => child.kill('SIGTERM'),
    close: () => stop(child),
  };
}

/** Keeps the caller's own HUBBUB_ settings away from the processes. */
function environment(redisUrl) {
  const foreign = Object.entries(process.env).filter(([name]) => !name.startsWith('HUBBUB_'));
  return {
    ...Object.fromEntries(foreign),
    NODE_ENV: 'production',
    HUBBUB_PORT: '0',
    HUBBUB_ADMIN_PORT: '0',
    HUBBUB_REDIS_URL: redisUrl,
    HUBBUB_JWT_SECRET: SECRET,
    HUBBUB_NODE_ID: 'bench',
    ...OUT_OF_REACH,
    ...AT_ONCE,
  };
}

function listeningLine(line) {
  if (!line.startsWith('{')) return undefined;
  const entry = JSON.parse(line);
  return entry.event === 'listening' ? entry : undefined;
}

/** Returns the events of warnings and errors. Skips lines that the pipe cut in two: the figures show the errors too. */
function troublesIn(text) {
  return [...text.matchAll(/^\{"level":"(?:warn|error|fatal)".*?"event":"(\w+)"/gm)].map(match => match[1]);
}

async function ready(name, adminPort) {
  const deadline = performance.now() + READY_WITHIN_MS;
  while (performance.now() < deadline) {
    const answer = await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(LOOK_AGAIN_MS);
  }
  throw new Error(`${name} was not ready within ${READY_WITHIN_MS} ms.`);
}
