/** Measures what a join costs presence and its Redis: reporters without sockets, in rooms of two sizes. */
import { connectRedis, startRedis } from '@hubbub/tools/kit';
import { withParts } from '../load/measurement.mjs';
import { redisCounters, rosterUsers, usedBytes } from '../machine/redis-figures.mjs';
import { exactCpuSeconds } from '../machine/usage.mjs';
import { COLLECTABLE, collectedBytes } from '../relays/start.mjs';
import { startPresence, startReporter } from '../scenarios/presence.mjs';
import { PERSISTENT } from './stage.mjs';

const PREFIX = 'bench';
const EDGES = 2;
const JOIN_WITHIN_MS = 60_000;

/** @typedef {{ name: string, use: 'fit' | 'check', sessions: number, perRoom: number }} Registry */

/** @type {readonly Registry[]} */
export const REGISTRIES = [
  { name: 'rooms of 10', use: 'fit', sessions: 16_000, perRoom: 10 },
  { name: 'rooms of 200', use: 'fit', sessions: 16_000, perRoom: 200 },
  { name: 'rooms of 50', use: 'check', sessions: 24_000, perRoom: 50 },
];

/** @param {Registry} registry */
export function measureRegistry({ sessions, perRoom }) {
  return withParts(async opened => {
    const server = await startRedis({ args: PERSISTENT });
    await opened({ close: () => server.dispose() });
    const redis = connectRedis(server.url);
    await opened({ close: async () => redis.disconnect() });
    const presence = await startPresence(server.url, COLLECTABLE);
    await opened({ close: () => presence.terminate() });
    const each = sessions / EDGES;
    const edges = [];
    for (let edge = 0; edge < EDGES; edge++) {
      const place = { redisUrl: server.url, prefix: PREFIX, nodeId: `edge-${edge}`, first: edge * each };
      edges.push(await opened(startReporter({ ...place, sessions: each, rooms: sessions / perRoom })));
    }
    const look = async () => ({
      presenceMicros: exactCpuSeconds([presence.pid]) * 1e6,
      ...(await redisCounters([redis])),
    });
    const emptyBytes = await collectedBytes(presence);
    const redisEmptyBytes = await usedBytes(redis);
    const before = await look();
    await Promise.all(edges.map(edge => edge.order('open', {}, JOIN_WITHIN_MS)));
    const after = await look();
    const fullBytes = await collectedBytes(presence);
    const users = await rosterUsers(redis, PREFIX);
    if (users !== sessions) throw new Error(`The rosters have ${users} users, not ${sessions}.`);
    const differences = Object.fromEntries(Object.keys(before).map(name => [name, after[name] - before[name]]));
    return {
      ...differences,
      emptyBytes,
      bytes: fullBytes - emptyBytes,
      redisBytes: (await usedBytes(redis)) - redisEmptyBytes,
    };
  });
}
