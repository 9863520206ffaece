/** One topology of Redis, eight edges on it, and members in rooms of every kind. It measures processor time per turn. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openRedisTopology, RedisBroker, RedisHistory } from '@hubbub/broker';
import { Channels, encodeEnvelope } from '@hubbub/protocol';
import {
  CLUSTER_ARGS,
  connectRedis,
  formRedisCluster,
  namespacesFile,
  startHubbub,
  startRedis,
} from '@hubbub/tools/kit';
import { collectParts } from '../load/measurement.mjs';
import { ONE_CORE } from '../machine/pinning.mjs';
import { redisCounters } from '../machine/redis-figures.mjs';
import { exactCpuSeconds } from '../machine/usage.mjs';
import { settingsOf } from '../relays/start.mjs';
import { Audience } from './audience.mjs';
import { EDGES, HISTORY_SIZE, HISTORY_TTL_MS, kindsOf, roomsOf, SERVERS } from './setups.mjs';

const PREFIX = 'hubbub';
/** As docs/deployment.md recommends. */
export const PERSISTENT = ['--appendonly', 'yes', '--appendfsync', 'everysec'];
const TIMEOUT_MS = 10_000;
const CALM_MS = 1500;
/** Enough for the edges to publish what clients have sent. */
const HELD_MS = 40;

/** @param {keyof typeof SERVERS} topology */
export async function openStage(topology) {
  const { opened, close } = collectParts();
  try {
    const args = topology === 'cluster' ? [...PERSISTENT, ...CLUSTER_ARGS] : PERSISTENT;
    const servers = await Promise.all(Array.from({ length: SERVERS[topology] }, () => startRedis({ args })));
    for (const server of servers) await opened({ close: () => server.dispose() });
    const url =
      topology === 'cluster'
        ? await formRedisCluster(servers, servers.length)
        : servers.map(({ url }) => url).join(',');
    const plain = { public: true, presence: 'off' };
    const kept = { ...plain, historySize: HISTORY_SIZE, historyTtlMs: HISTORY_TTL_MS };
    const env = settingsOf(url, { HUBBUB_CONFIG: namespacesFile({ plain, kept }), HUBBUB_MAX_ROOMS: '10000' });
    const edges = await Promise.all(
      Array.from({ length: EDGES }, (_, index) =>
        startHubbub(['edge'], { nodeArgs: ONE_CORE, env: { ...env, HUBBUB_NODE_ID: `edge-${index}` } }),
      ),
    );
    for (const edge of edges) await opened({ close: () => edge.terminate() });
    const redis = openRedisTopology(url, { commandTimeoutMs: TIMEOUT_MS, onError() {} });
    await opened({ close: async () => redis.close() });
    await redis.connected(TIMEOUT_MS);
    const probes = servers.map(server => connectRedis(server.url));
    for (const probe of probes) await opened({ close: async () => probe.disconnect() });
    const audience = await opened(Audience.open(edges.map(({ port }) => port)));
    await audience.join(kindsOf(topology));
    await sleep(CALM_MS);
    return { ...stageOf({ edges, servers, probes, redis, audience }), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function stageOf({ edges, servers, probes, redis, audience }) {
  const publish = publisherOf(redis);
  const random = repeatableRandom();
  const pids = edges.map(({ pid }) => pid);
  const look = async () => ({
    seconds: performance.now() / 1000,
    edgesMicros: exactCpuSeconds(pids) * 1e6,
    ...(await redisCounters(probes)),
    ...audience.counts(),
  });
  const since = async before => {
    const after = await look();
    return Object.fromEntries(Object.keys(before).map(name => [name, after[name] - before[name]]));
  };
  const whileStopped = async act => {
    for (const server of servers) await server.pause();
    act();
    await sleep(HELD_MS);
    for (const server of servers) await server.resume();
  };
  return {
    /** Publishes in turns: each begins when every member has received the messages of the turn before. */
    async measure(setup) {
      const { turns, by, bytes, width, members } = setup;
      const messages = setup.messages * probes.length;
      const rooms = roomsOf(setup);
      const body = bodyOf(bytes);
      const before = await look();
      for (let turn = 0; turn < turns; turn++) {
        const chosen = someOf(rooms, messages, random);
        // The sender of a message gets an ack in place of a copy.
        await audience.receive(by === 'ping' ? messages : messages * width * members, () => {
          if (by === 'service') return publish(chosen, body, setup.history);
          const send = () => audience.send(chosen, by, body);
          return setup.held ? whileStopped(send) : send();
        });
      }
      return { turns, messages, width, bytes, ...(await since(before)) };
    },
    async rest(ms) {
      const before = await look();
      await sleep(ms);
      return await since(before);
    },
  };
}

function publisherOf(redis) {
  const broker = new RedisBroker(redis);
  const history = new RedisHistory({ redis, prefix: PREFIX });
  const channels = new Channels(PREFIX);
  let published = 0;
  return (rooms, body, keeps) =>
    Promise.all(
      rooms.map(({ name: room }) => {
        const envelope = encodeEnvelope({ encoding: 'json', publishedAtMs: Date.now() }, body);
        const channel = channels.room(room);
        if (!keeps) return broker.publish(channel, envelope);
        const idempotencyKey = `9/${published++}/service`;
        return history.append({ room, channel, envelope, idempotencyKey, size: HISTORY_SIZE, ttlMs: HISTORY_TTL_MS });
      }),
    );
}

/** A frame as an edge sends it, without the room. @param {number} bytes */
export function bodyOf(bytes) {
  const frame = text => ({
    type: 'new_message',
    payload: { text },
    sender: { id: 'service', name: 'Service' },
    timestamp: '2026-01-01T00:00:00.000Z',
  });
  return Buffer.from(JSON.stringify(frame('x'.repeat(bytes - JSON.stringify(frame('')).length))));
}

/** Different rooms at random: the edges of one turn then follow the formula of occupancy. */
function someOf(rooms, count, random) {
  const left = [...rooms];
  return Array.from({ length: count }, () => left.splice(random() % left.length, 1)[0]);
}

/** Park and Miller's generator. */
function repeatableRandom(seed = 1) {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647);
}
