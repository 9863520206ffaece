/** The faults of several Redis servers, under a steady stream of numbered messages (invariants 1, 2 and 12). */
import { eventually, metricValue } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { connect } from '../support/raw-client.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { startRedisCluster } from '../support/redis-cluster.js';
import { startSentinelRedis } from '../support/redis-sentinel.js';
import { historyEnvironment, NumberedStream } from './numbered-stream.js';

/** `npm run test:faults` repeats the faults. */
const ROUNDS = process.env.HUBBUB_TEST_LONG === undefined ? 1 : 5;
const ROOMS = ['kept:a', 'kept:b', 'kept:c', 'kept:d', 'kept:e', 'kept:f'];

/** Two edges with two members each, and a publisher at the first edge. */
async function scene(
  url: string,
  server: TestRedis,
  rooms = ROOMS,
): Promise<{ cluster: TestCluster; stream: NumberedStream }> {
  const cluster = await startCluster({ redis: { ...server, url }, env: historyEnvironment() });
  const members = cluster.edges.flatMap(({ wsUrl }, edge) =>
    [1, 2].map(number => ({ name: `member-${edge + 1}-${number}`, url: wsUrl })),
  );
  const stream = await NumberedStream.start(cluster, { rooms, members, publisherUrl: cluster.edge(0).wsUrl });
  return { cluster, stream };
}

async function expectRecovery(stream: NumberedStream, cluster: TestCluster, rooms = ROOMS): Promise<void> {
  await stream.flows(20);
  await stream.end();
  expect(stream.violations()).toEqual([]);
  await expectRosters(cluster, rooms);
}

/** Presence has every member of every room: those of all partitions, and so of all servers. */
async function expectRosters(cluster: TestCluster, rooms: readonly string[]): Promise<void> {
  const asker = await connect(cluster.edge(1).wsUrl, { token: cluster.token({ user: 'asker' }) });
  for (const room of rooms) {
    await asker.join(room);
    await eventually(
      async () => {
        const { payload } = await asker.ask({ type: 'online_users', room });
        const users = (payload?.users ?? []) as { id: string }[];
        return users.filter(({ id }) => id.startsWith('member-')).length === 4;
      },
      { describe: `the roster of ${room} is right` },
    );
  }
}

/** A stopped replica does not connect again, until it is resumed. */
async function cutReplication(primary: TestRedis, replica: TestRedis): Promise<void> {
  await replica.pause();
  await primary.cli('CLIENT', 'KILL', 'TYPE', 'replica');
}

/** The acknowledged messages that a server does not have. */
async function missingIn(server: TestRedis, prefix: string, stream: NumberedStream, room: string): Promise<number[]> {
  const entries = await server.cli('XRANGE', `${prefix}:history:{${room}}:stream`, '-', '+');
  const kept = new Set([...entries.matchAll(/"n":(\d+)/g)].map(([, n]) => Number(n)));
  return stream.acknowledged(room).filter(n => !kept.has(n));
}

const channelOf = (server: TestRedis, room: string) => `${server.prefix}:room:{${room}}`;

/** Injects a fault, waits until messages flow in every room, and prints the longest time from a send to a delivery. */
async function outage(stream: NumberedStream, name: string, fault: () => Promise<unknown>): Promise<void> {
  stream.startMeasuring();
  await fault();
  // More than the publisher has in flight: these were sent after the fault.
  await stream.reaches(40);
  console.info(`${name}: messages flow again after ${Math.round(stream.latencyMs(1))} ms`);
}

describe('several Redis servers', { timeout: 120_000 * ROUNDS }, () => {
  test('behind Sentinels, a planned failover and a kill -9 of the primary lose nothing silently', async () => {
    const redis = await startSentinelRedis();
    const { cluster, stream } = await scene(redis.url, redis.servers[0]);
    for (let round = 1; round <= ROUNDS; round++) {
      const former = await redis.primary();
      await outage(stream, 'planned failover', () => redis.failOver());
      await eventually(async () => (await former.cli('ROLE')).includes('connected'), { describe: 'it follows' });
      const killed = await redis.primary();
      await outage(stream, 'kill -9 of the primary', () => killed.halt());
      if (round === ROUNDS) break;
      await killed.start();
      await eventually(async () => /^slave[\s\S]*connected/.test(await killed.cli('ROLE')), { describe: 'it follows' });
    }
    await expectRecovery(stream, cluster);
  });

  test('behind Sentinels, a primary that dies after the replication link was cut loses nothing silently', async () => {
    const redis = await startSentinelRedis();
    const [first, second] = redis.servers;
    const { cluster, stream } = await scene(redis.url, first);
    await cutReplication(first, second);
    await stream.flows(20);
    await first.halt();
    await second.resume();
    await expectRecovery(stream, cluster);
    for (const room of ROOMS) {
      expect((await missingIn(second, first.prefix, stream, room)).length, room).toBeGreaterThanOrEqual(20);
      expect(stream.gaps(room).length, room).toBeGreaterThanOrEqual(stream.members.length);
    }
  });

  test('the same with durable rooms loses no acknowledged message: without a replica there is no ack', async () => {
    const rooms = ['safe:a', 'safe:b'];
    const redis = await startSentinelRedis();
    const [first, second] = redis.servers;
    const { cluster, stream } = await scene(redis.url, first, rooms);
    await stream.flows(50);
    await cutReplication(first, second);
    const unconfirmed = () => metricValue(cluster.edge(0), 'hubbub_durable_unconfirmed_total');
    await eventually(async () => (await unconfirmed()) > 20, { describe: 'messages are not acknowledged' });
    await first.halt();
    await second.resume();
    await eventually(async () => (await redis.primary()) === second, { describe: 'the replica is the primary' });
    await first.start();
    await stream.flows(20);
    await stream.end();
    await expectRosters(cluster, rooms);
    // Members may get unconfirmed messages again, after a gap: their idempotency keys were lost with them. Without acks in the
    // new epoch, the checker cannot know which of its places repeat a message.
    expect(stream.violations().filter(one => !one.includes('not linearizable: delivery of'))).toEqual([]);
    for (const room of rooms) expect(stream.gaps(room).length, room).toBeGreaterThanOrEqual(stream.members.length);
    for (const room of rooms) expect(await missingIn(second, first.prefix, stream, room), room).toEqual([]);
  });

  test('on a Redis Cluster, moved slots, a planned failover and a kill -9 lose nothing silently', async () => {
    const redis = await startRedisCluster();
    const [first] = redis.servers as [TestRedis, ...TestRedis[]];
    const { cluster, stream } = await scene(redis.url, first);
    for (let round = 1; round <= ROUNDS; round++) {
      const before = stream.gaps().length;
      await outage(stream, 'a moved slot with its keys', async () => {
        for (const room of ROOMS) expect(await redis.moveSlot(channelOf(first, room))).toBeGreaterThan(0);
      });
      expect(stream.gaps()).toHaveLength(before);
      await outage(stream, 'planned failover', () => redis.failOver(channelOf(first, 'kept:b')));
      const killed = await redis.primaryOf(channelOf(first, 'kept:c'));
      await outage(stream, 'kill -9 of a primary', () => redis.kill(killed));
      if (round < ROUNDS) await redis.revive(killed);
    }
    await expectRecovery(stream, cluster);
  });

  test('on a Redis Cluster, a primary that is frozen and thaws sends nothing stale, and its rooms are never silent', async () => {
    const redis = await startRedisCluster();
    const [first] = redis.servers as [TestRedis, ...TestRedis[]];
    const { cluster, stream } = await scene(redis.url, first);
    for (let round = 1; round <= ROUNDS; round++) {
      const frozen = await redis.primaryOf(channelOf(first, 'kept:c'));
      // Messages that wait in its socket are executed at the thaw, after clients sent them again to the new primary.
      const stale = await listenToRoom(frozen, channelOf(first, 'kept:c'));
      await outage(stream, 'frozen primary', () => redis.freeze(frozen));
      const known = stale.length;
      await outage(stream, 'its thaw', () => redis.thaw(frozen));
      expect(stale.length, 'messages that the thawed primary publishes late').toBeGreaterThan(known);
    }
    await expectRecovery(stream, cluster);
  });

  /** The envelopes that a server publishes to a room. */
  async function listenToRoom(server: TestRedis, channel: string): Promise<string[]> {
    const heard: string[] = [];
    const subscriber = server.connection();
    subscriber.on('smessage', (_: string, envelope: string) => heard.push(envelope));
    await subscriber.ssubscribe(channel);
    return heard;
  }

  /** Two shards, and which rooms each of them has. */
  async function shards() {
    const [first, second] = [await startRedis({ own: true }), await startRedis({ own: true })];
    const { cluster, stream } = await scene(`${first.url},${second.url}`, first);
    const rooms: { first: string[]; second: string[] } = { first: [], second: [] };
    for (const room of ROOMS) {
      const isOnSecond = (await second.cli('PUBSUB', 'CHANNELS', channelOf(first, room))) !== '';
      rooms[isOnSecond ? 'second' : 'first'].push(room);
    }
    expect(rooms.first.length * rooms.second.length, 'each shard has a room').toBeGreaterThan(0);
    return { second, cluster, stream, rooms };
  }

  test('of two shards, one that restarts empty concerns its own rooms alone', async () => {
    const { second, cluster, stream, rooms } = await shards();
    for (let round = 1; round <= ROUNDS; round++) await outage(stream, 'restart of a shard', () => second.restart());
    await expectRecovery(stream, cluster);
    for (const room of rooms.second) {
      expect(stream.gaps(room).length, room).toBeGreaterThanOrEqual(stream.members.length);
    }
    for (const room of rooms.first) expect(stream.gaps(room), room).toEqual([]);
  });

  test('of two shards, one that is frozen does not delay the rooms of the other', async () => {
    const { second, cluster, stream, rooms } = await shards();
    const p99 = { beforeMs: [] as number[], frozenMs: [] as number[] };
    const measure = async (into: number[]) => {
      stream.startMeasuring();
      await stream.reaches(200, rooms.first);
      into.push(stream.latencyMs(0.99, (_, room) => rooms.first.includes(room)));
    };
    for (let round = 1; round <= ROUNDS; round++) {
      await measure(p99.beforeMs);
      await second.pause();
      await measure(p99.frozenMs);
      await second.resume();
      await stream.flows(20);
    }
    await expectRecovery(stream, cluster);
    expect(stream.gaps()).toEqual([]);
    console.info(
      `p99 of the other shard: ${p99.beforeMs.map(Math.round)} ms before, ${p99.frozenMs.map(Math.round)} ms while one is frozen`,
    );
    if (ROUNDS > 1) expect(median(p99.frozenMs) / median(p99.beforeMs)).toBeLessThanOrEqual(1.2);
  });
});

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}
