/** Measures what sessions cost when they open and while they are idle: an edge, the kernel, presence and Redis. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connectRedis, eventually, startHubbub, startRedis } from '@hubbub/tools/kit';
import { startMembers } from '../load/crew.mjs';
import { createClock, machineMicros, withParts } from '../load/measurement.mjs';
import { ONE_CORE } from '../machine/pinning.mjs';
import { redisCounters, rosterUsers } from '../machine/redis-figures.mjs';
import { exactCpuSeconds, socketBytes } from '../machine/usage.mjs';
import { COLLECTABLE, collectedBytes, historyConfig, memberToken, settingsOf } from '../relays/start.mjs';
import { HISTORY_SIZE } from './setups.mjs';
import { PERSISTENT } from './stage.mjs';

const PREFIX = 'hubbub';
const AT_ONCE = 32;
const CALM_MS = 1500;
/** Before the measurement: the edge has then compiled its code. */
const WARM_UP = { sessions: 500, perRoom: 10, perUser: 1, history: false };
const ROSTERS_WITHIN_MS = 60_000;

/**
 * @typedef {object} Opening
 * @property {string} name @property {'fit' | 'check'} use
 * @property {number} sessions @property {number} perRoom of each room @property {number} perUser @property {boolean} history
 */

/** @type {readonly Opening[]} */
export const OPENINGS = [
  { name: 'rooms of 40', use: 'fit', sessions: 3000, perRoom: 40, perUser: 1, history: false },
  { name: 'a room for each session', use: 'fit', sessions: 3000, perRoom: 1, perUser: 1, history: false },
  { name: 'a room with history for each session', use: 'fit', sessions: 3000, perRoom: 1, perUser: 1, history: true },
  {
    name: 'rooms of 40, 10 sessions of each user',
    use: 'fit',
    sessions: 3000,
    perRoom: 40,
    perUser: 10,
    history: false,
  },
  { name: 'rooms of 10', use: 'check', sessions: 4000, perRoom: 10, perUser: 1, history: false },
  { name: 'rooms of 6, 2 sessions of each user', use: 'check', sessions: 3600, perRoom: 6, perUser: 2, history: false },
];

/** One file serves all edges. */
let namespaces;

/** @param {Opening} opening @returns {Promise<object>} differences between the empty and the full edge */
export function measureOpening(opening) {
  return withParts(async opened => {
    const server = await startRedis({ args: PERSISTENT });
    await opened({ close: () => server.dispose() });
    const redis = connectRedis(server.url);
    await opened({ close: async () => redis.disconnect() });
    namespaces ??= historyConfig(HISTORY_SIZE);
    const env = settingsOf(server.url, namespaces);
    const presence = await startHubbub(['presence'], { env });
    await opened({ close: () => presence.terminate() });
    const edge = await startHubbub(['edge'], { env, nodeArgs: [...ONE_CORE, ...COLLECTABLE] });
    await opened({ close: () => edge.terminate() });
    const members = await opened(startMembers({ processes: 1, cpus: undefined }));
    let users = 0;
    const open = async (own, prefix) => {
      const { originUs } = createClock(machineMicros());
      await members.prepare({ originUs, dialect: 'hubbub', requests: requestsOf(own, prefix) });
      await members.connect({ port: edge.port, atOnce: AT_ONCE });
      users += own.sessions / own.perUser;
      await eventually(async () => (await rosterUsers(redis, PREFIX)) === users, {
        withinMs: ROSTERS_WITHIN_MS,
        describe: 'all rosters are complete',
      });
      await sleep(CALM_MS);
    };
    const look = async () => ({
      edgeMicros: exactCpuSeconds([edge.pid]) * 1e6,
      presenceMicros: exactCpuSeconds([presence.pid]) * 1e6,
      ...(await redisCounters([redis])),
      kernelBytes: socketBytes(),
    });
    await open(WARM_UP, 'warm-up');
    const emptyBytes = await collectedBytes(edge);
    const before = await look();
    await open(opening, 'room');
    const after = await look();
    const differences = Object.fromEntries(Object.keys(before).map(name => [name, after[name] - before[name]]));
    return { emptyBytes, ...differences, bytes: (await collectedBytes(edge)) - emptyBytes };
  });
}

/** Sessions of one user are in one room. */
function requestsOf({ sessions, perRoom, perUser, history }, prefix) {
  return Array.from({ length: sessions }, (_, session) => ({
    room: 0,
    roomName: `${history ? 'kept' : 'plain'}:${prefix}-${Math.floor(session / perRoom)}`,
    headers: { Authorization: `Bearer ${memberToken(`${prefix}-${Math.floor(session / perUser)}`)}` },
  }));
}
