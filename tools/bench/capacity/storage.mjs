/** Measures what Redis holds for histories, keys of messages, channels and connections, and what it sends to a replica. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openRedisTopology, RedisBroker, RedisHistory } from '@hubbub/broker';
import { Channels, encodeEnvelope } from '@hubbub/protocol';
import { connectRedis, eventually, startRedis } from '@hubbub/tools/kit';
import { withParts } from '../load/measurement.mjs';
import { redisCounters } from '../machine/redis-figures.mjs';
import { HISTORY_SIZE, HISTORY_TTL_MS } from './setups.mjs';
import { bodyOf, PERSISTENT } from './stage.mjs';

const PREFIX = 'hubbub';
const TIMEOUT_MS = 10_000;
const CHANNELS = 5000;
const CONNECTIONS = 200;
const REPLICATED = 500;
/** Messages of a room that are in flight together. */
const AT_ONCE = 20;

/**
 * @typedef {object} Histories
 * @property {string} name @property {'fit' | 'check'} use @property {number} rooms @property {number} messages of each
 * @property {number} bytes of a message @property {boolean} keys whether messages have a `message_id`, which a retry would repeat
 */

/** @type {readonly Histories[]} */
export const HISTORIES = [
  { name: 'one message in each room', use: 'fit', rooms: 1000, messages: 1, bytes: 200, keys: false },
  { name: '100 messages of 200 bytes', use: 'fit', rooms: 50, messages: 100, bytes: 200, keys: false },
  { name: '100 messages of 1,000 bytes', use: 'fit', rooms: 50, messages: 100, bytes: 1000, keys: false },
  { name: '100 messages with a message_id', use: 'fit', rooms: 50, messages: 100, bytes: 200, keys: true },
  {
    name: '40 messages of 500 bytes with a message_id',
    use: 'check',
    rooms: 100,
    messages: 40,
    bytes: 500,
    keys: true,
  },
];

export function measureStorage() {
  return withParts(async opened => {
    const server = await startRedis({ args: PERSISTENT });
    await opened({ close: () => server.dispose() });
    const redis = connectRedis(server.url);
    await opened({ close: async () => redis.disconnect() });
    const used = async () => Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]);
    const open = async () => {
      const topology = openRedisTopology(server.url, { commandTimeoutMs: TIMEOUT_MS, onError() {} });
      await opened({ close: async () => topology.close() });
      await topology.connected(TIMEOUT_MS);
      return topology;
    };
    const [one, two] = [await open(), await open()];
    const [broker, another] = [new RedisBroker(one), new RedisBroker(two)];
    const history = new RedisHistory({ redis: one, prefix: PREFIX });
    const channels = await measureChannels([broker, another], used);
    const histories = await measureHistories(history, used);
    const connectionBytes = await measureConnections(server.url, opened, used);
    const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(server.port)] });
    await opened({ close: () => replica.dispose() });
    await eventually(async () => String(await replica.ask('ROLE')).includes('connected'), {
      describe: 'the replica follows',
    });
    const replication = await measureReplication({ broker, history }, redis);
    return { ...channels, histories, connectionBytes, ...replication };
  });
}

/** Bytes of a channel with one subscriber, and of each further subscriber. */
async function measureChannels(brokers, used) {
  const names = Array.from({ length: CHANNELS }, (_, n) => new Channels(PREFIX).room(`plain:channel-${n}`));
  const grown = [];
  for (const broker of brokers) {
    await eventually(() => broker.subscribe('another').then(() => true), { describe: 'the broker subscribes' });
    const before = await used();
    await Promise.all(names.map(name => broker.subscribe(name)));
    grown.push(((await used()) - before) / CHANNELS);
  }
  return { firstSubscriptionBytes: grown[0], nextSubscriptionBytes: grown[1] };
}

async function measureHistories(history, used) {
  const rows = [];
  for (const [index, row] of HISTORIES.entries()) {
    const before = await used();
    await appendAll(history, row, `h${index}`);
    rows.push({ ...row, grownBytes: (await used()) - before });
  }
  return rows;
}

async function appendAll(history, { rooms, messages, bytes, keys }, name) {
  const envelope = encodeEnvelope({ encoding: 'json', publishedAtMs: Date.now() }, bodyOf(bytes));
  for (let message = 0; message < messages; message++) {
    await Promise.all(
      Array.from({ length: rooms }, (_, n) => {
        const room = `kept:${name}-${n}`;
        const channel = new Channels(PREFIX).room(room);
        const key = keys ? { idempotencyKey: `24/${String(message).padStart(24, '0')}/user-${n}` } : {};
        return history.append({ room, channel, envelope, size: HISTORY_SIZE, ttlMs: HISTORY_TTL_MS, ...key });
      }),
    );
  }
}

async function measureConnections(url, opened, used) {
  const before = await used();
  const connections = Array.from({ length: CONNECTIONS }, () => connectRedis(url));
  await opened({
    async close() {
      for (const connection of connections) connection.disconnect();
    },
  });
  await Promise.all(connections.map(connection => connection.ping()));
  await sleep(1000); // Redis frees the unused part of the query buffers.
  return ((await used()) - before) / CONNECTIONS;
}

/** Bytes of a message to one replica, beyond its own. */
async function measureReplication({ broker, history }, probe) {
  const bytes = 200;
  const envelope = encodeEnvelope({ encoding: 'json', publishedAtMs: Date.now() }, bodyOf(bytes));
  const channel = new Channels(PREFIX).room('plain:replicated');
  const of = async act => {
    const before = await redisCounters([probe]);
    for (let i = 0; i < REPLICATED; i += AT_ONCE) await act();
    return ((await redisCounters([probe])).replicatedBytes - before.replicatedBytes) / REPLICATED;
  };
  return {
    publishReplicatedBytes: await of(() =>
      Promise.all(Array.from({ length: AT_ONCE }, () => broker.publish(channel, envelope))),
    ),
    appendReplicatedBytes: await of(() =>
      appendAll(history, { rooms: AT_ONCE, messages: 1, bytes, keys: true }, `replicated-${Math.random()}`),
    ),
  };
}
