/** Starts and observes the fuzzed cluster: Redis, presence, one edge and the HTTP API as processes, or the embedded one. */
import { readdirSync } from 'node:fs';
import { connectRedis, FREE_PORTS, findRedis, namespacesFile, startHubbub, startRedis } from '@hubbub/tools/kit';
import { countKeys, usedBytes } from '../../bench/machine/redis-figures.mjs';
import { collectGarbage, inspectorUrlIn } from './inspector.mjs';

const PREFIX = 'fuzz';
export const SECRET = 'a-secret-of-the-fuzzing-of-32-bytes-and-more';
export const NODE_ID = 'fuzzed';

/** Rooms of the inputs, without the bystanders' room: one for every path of a message. */
export const VICTIM_ROOMS = ['victims', 'log:victims', 'tick:victims', 'many:victims', 'kept:victims'];
/** A room that every session stays in. Inputs that require one certain code use it. */
export const QUIET_ROOM = 'quiet';
export const BYSTANDER_ROOM = 'watch';

/** Its sessions are in these channels; inputs sign in as `user-1` to `user-20`, and watch `u0` to `u119`. */
export const PUSHER_APP = { id: 'fuzz', key: 'a-key', secret: 'a-secret-of-the-pusher-app', watchlists: true };
export const PUSHER_CHANNELS = ['victims', 'cache-victims', 'private-victims', 'presence-victims'];
/** Rooms of the app, for messages through Redis. Not those of users: `close_room` there ends the connections of its members. */
export const PUSHER_ROOMS = [
  'pusher-fuzz:victims',
  'pusher-fuzz:private-victims',
  'pusher-fuzz.presence:presence-victims',
  'pusher-fuzz.online:user-1',
  'pusher-fuzz.online:u1',
];

const PRESENCE_KEY = 'a-key-of-presence-in-the-fuzzing';

const NAMESPACES = {
  log: { public: true, historySize: 50 },
  tick: { public: true, conflate: true },
  many: { public: true, presence: 'counts' },
  kept: { public: true, keepMembers: { offlineAfterMs: 200, expireAfterMs: 1000 } },
};

/** Lifted limits: they would refuse most inputs, and the code behind them would stay untested. */
const LIFTED = {
  HUBBUB_MAX_SESSIONS_PER_USER: '0',
  HUBBUB_MAX_CONNECTIONS_PER_ADDRESS: '0',
  HUBBUB_MAX_HANDSHAKES_PER_SECOND: '0',
  HUBBUB_SHED_OVERLOAD: 'false',
  // The accounts are full after the warm-up; then memory must stay the same.
  HUBBUB_EXPLAIN_MAX_ENTRIES: '200',
  HUBBUB_MAX_FRAMES_PER_SECOND: '0',
  HUBBUB_MAX_USER_FRAMES_PER_SECOND: '0',
  HUBBUB_MAX_ADDRESS_FRAMES_PER_SECOND: '0',
  HUBBUB_MAX_REFUSALS_PER_MINUTE: '1000000',
  HUBBUB_MAX_CALLS_PER_SECOND: '0',
  HUBBUB_MAX_USER_CALLS_PER_SECOND: '0',
  HUBBUB_MAX_NAMESPACE_CALLS_PER_SECOND: '0',
  HUBBUB_API_MAX_REQUESTS: '10000',
};

/**
 * @typedef {object} Part one process of Hubbub
 * @property {string} name @property {number} pid @property {string} adminUrl @property {number} port of edges
 * @property {{ level: string, event?: string, line: string }[]} troubles log lines of level error and fatal, and other output
 * @property {Record<string, number>} warnings log lines of level warn, by event
 * @property {() => string | undefined} exit returns how it ended, or undefined while it runs
 * @property {() => Promise<number>} collectGarbage returns the bytes of live objects
 * @property {() => number | undefined} openFiles
 * @property {() => Promise<unknown>} close
 */

/**
 * @param {{ embedded?: boolean, redisUrl?: string, prefix?: string }} options `redisUrl`: an existing Redis, used under the prefix
 * @returns {Promise<{ edge: Part, api?: Part, parts: Part[], redis?: { url: string, prefix: string, own: boolean, version: string }, close: () => Promise<void> }>}
 */
export async function startTarget({ embedded = false, redisUrl, prefix = PREFIX }) {
  const env = {
    ...FREE_PORTS,
    HUBBUB_JWT_SECRET: SECRET,
    HUBBUB_ALLOWED_ORIGINS: 'https://allowed.example',
    HUBBUB_CONFIG: namespacesFile(NAMESPACES, {
      pusherApps: [{ ...PUSHER_APP, clientEvents: true, clientEventsPerSecond: 1000 }],
    }),
    HUBBUB_PRESENCE_API_KEYS: PRESENCE_KEY,
    ...LIFTED,
  };
  if (embedded) {
    const edge = await startPart('start', env);
    return { edge, parts: [edge], close: edge.close };
  }
  const own = redisUrl === undefined ? await startRedis() : undefined;
  const url = redisUrl ?? own.url;
  const onRedis = { ...env, HUBBUB_REDIS_URL: url, HUBBUB_REDIS_PREFIX: prefix };
  // Presence first: at the first start of a cluster it makes every existing edge start again.
  const presence = await startPart('presence', { ...onRedis, HUBBUB_NODE_ID: 'presence' }, 'partitions_claimed');
  const edge = await startPart('edge', { ...onRedis, HUBBUB_NODE_ID: NODE_ID });
  const api = await startPart('api', {
    ...onRedis,
    HUBBUB_NODE_ID: 'api',
    HUBBUB_API_PORT: '0',
    HUBBUB_API_KEYS: 'a-key-of-the-api-in-the-fuzzing-32',
    HUBBUB_PRESENCE_URL: presence.adminUrl,
  });
  return {
    edge,
    api,
    parts: [edge, presence, api],
    redis: { url, prefix, own: own !== undefined, version: own === undefined ? 'given' : findRedis().version },
    async close() {
      await Promise.all([edge.close(), presence.close(), api.close()]);
      await own?.dispose();
    },
  };
}

/** @param {string} [readyEvent] a log line to wait for, beside readiness */
async function startPart(command, env, readyEvent) {
  const troubles = [];
  const warnings = {};
  let inspector;
  const observe = ({ output }) =>
    output.onLine((line, log, source) => {
      inspector ??= inspectorUrlIn(line);
      if (log?.level === 'warn') warnings[log.event] = (warnings[log.event] ?? 0) + 1;
      else if (log?.level !== 'info' && !isExpected(line, command, source))
        troubles.push({ level: log?.level ?? source, event: log?.event, line: line.slice(0, 2000) });
    });
  const part = await startHubbub([command], {
    name: command,
    env,
    nodeArgs: ['--inspect=127.0.0.1:0'],
    onSpawn: observe,
    async readyWhen(started) {
      await started.untilReady();
      if (readyEvent !== undefined) await started.orExit(started.output.waitForLog({ event: readyEvent }));
    },
  });
  return {
    name: command,
    pid: part.pid,
    get port() {
      return part.port;
    },
    adminUrl: part.adminUrl,
    troubles,
    warnings,
    exit: () => (part.endedByItself ? `ended by itself: ${part.output.tail()}` : undefined),
    collectGarbage: () => collectGarbage(inspector),
    openFiles: () => openFiles(part.pid),
    close: () => part.kill(), // A drain would only take time.
  };
}

/** The inspector's lines, and the greeting of `hubbub start`. */
function isExpected(line, command, source) {
  if (source !== 'stderr') return false;
  return (
    line === '' || /Debugger|inspector/.test(line) || (command === 'start' && !/error|fatal|exception/i.test(line))
  );
}

function openFiles(pid) {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return undefined; // Without /proc the report omits it.
  }
}

/** Counts the run's keys in Redis, and those of rooms and users; reads the memory of the run's own Redis. */
export async function redisFigures({ url, prefix, own }) {
  const redis = connectRedis(url);
  try {
    return { ...(await countKeys(redis, prefix)), redisBytes: own ? await usedBytes(redis) : undefined };
  } finally {
    redis.disconnect();
  }
}
