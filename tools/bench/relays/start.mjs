/** Starts the measured relays as they run in production, each on free ports and with the tokens of the benchmark. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  cleanEnvironment,
  FREE_PORTS,
  ManagedProcess,
  namespacesFile,
  signToken,
  spawnChild,
  startHubbub,
} from '@hubbub/tools/kit';
import { residentBytes } from '../machine/usage.mjs';

/** Shared by all relays that check tokens. */
export const SECRET = 'a-secret-of-the-benchmark-of-32-bytes-and-more';

/**
 * Without arguments `gc` does a full, compacting collection. With the option "major", Node 20 frees almost nothing.
 * The second call frees the objects that finalizers released.
 */
const COLLECT = "process.on('SIGUSR2', () => { gc(); gc(); })";
/** Arguments of Node for a relay that collects its garbage on SIGUSR2. */
export const COLLECTABLE = ['--expose-gc', `--import=data:text/javascript,${encodeURIComponent(COLLECT)}`];

const COLLECTIONS = 3;
const COLLECTION_MS = 1000;

/** Returns the resident bytes of a COLLECTABLE process after several collections, the least of them. @param {ManagedProcess} relay */
export async function collectedBytes({ pid, child }) {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < COLLECTIONS; i++) {
    child.kill('SIGUSR2');
    await sleep(COLLECTION_MS);
    least = Math.min(least, residentBytes(pid));
  }
  return least;
}

/**
 * Settings of Hubbub that differ from the defaults. All clients share one address, and some exceed the limits of one client.
 * Counting is part of the cost, so it stays on.
 */
const SETTINGS = {
  ...FREE_PORTS,
  NODE_ENV: 'production',
  HUBBUB_JWT_SECRET: SECRET,
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
  // Without a balancer and without clients at the end, draining needs no time.
  HUBBUB_DRAIN_DELAY_MS: '0',
  HUBBUB_DRAIN_WINDOW_MS: '0',
};

/** @param {number} member @returns {Record<string, string>} headers of its upgrade request */
function bearer(member) {
  return { Authorization: `Bearer ${memberToken(`member-${member}`)}` };
}

export function memberToken(user) {
  return signToken({ user, name: user, secret: SECRET });
}

/** Rooms `kept:…` have a history, rooms `plain:…` have none. @param {number} historySize @returns {NodeJS.ProcessEnv} */
export function historyConfig(historySize) {
  return { HUBBUB_CONFIG: namespacesFile({ kept: { public: true, historySize }, plain: { public: true } }) };
}

/** @param {string | undefined} redisUrl @param {NodeJS.ProcessEnv} [env] */
export function settingsOf(redisUrl, env) {
  return { ...SETTINGS, HUBBUB_REDIS_URL: redisUrl, ...env };
}

/**
 * Starts an edge, and presence beside it if requested.
 * @param {import('./catalogue.mjs').RelayStart & { command?: 'edge' | 'start' }} start `command`: `start` is an edge without Redis,
 *   with presence in its process
 * @returns {Promise<import('./catalogue.mjs').RunningRelay & { adminUrl: string }>}
 */
export async function startEdge({ command = 'edge', presence, redisUrl, cpus, helperCpus, nodeArgs, env }) {
  const settings = settingsOf(command === 'start' ? undefined : redisUrl, { HUBBUB_NODE_ID: 'bench', ...env });
  const beside = presence ? await startHubbub(['presence'], { cpus: helperCpus, env: settings }) : undefined;
  const edge = await startHubbub([command], { cpus, nodeArgs, env: settings });
  return {
    ...handleOf(edge),
    port: edge.port,
    adminUrl: edge.adminUrl,
    helpers: beside === undefined ? [] : [beside.pid],
    headers: (member, subprotocol) => ({
      ...bearer(member),
      ...(subprotocol !== undefined && { 'Sec-WebSocket-Protocol': subprotocol }),
    }),
    async close() {
      await edge.terminate();
      await beside?.terminate();
    },
  };
}

/** A relay that is one file of this folder. @param {string} file @param {readonly string[]} args */
export function startFile(file, ...args) {
  const path = fileURLToPath(new URL(file, import.meta.url));
  /** @param {import('./catalogue.mjs').RelayStart} start @returns {Promise<import('./catalogue.mjs').RunningRelay>} */
  return async ({ redisUrl, cpus, nodeArgs, env }) => {
    const command = [process.execPath, ...nodeArgs, path, redisUrl, SECRET, ...args];
    const relay = new ManagedProcess(file, spawnChild(command, { name: file, cpus, env: cleanEnvironment(env) }));
    const { port } = await relay.orExit(relay.output.waitForLog({ event: 'listening' }));
    return { ...handleOf(relay), port, helpers: [], headers: bearer, close: () => relay.terminate() };
  };
}

/** The parts of a running relay that every process has. @param {ManagedProcess} relay */
export function handleOf(relay) {
  const troubles = [];
  relay.output.onLine((_, log) => ['warn', 'error', 'fatal'].includes(log?.level) && troubles.push(log.event));
  return {
    pids: [relay.pid],
    /** Returns the events of its warnings and errors since the last call. */
    troubles: () => troubles.splice(0),
    collect: () => relay.child.kill('SIGUSR2'),
    kill: () => relay.kill('SIGKILL'),
  };
}
