/** The faults of several Redis servers, under a steady stream of numbered messages (invariants 1, 2 and 12). */
import { eventually, metricValue } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { connect } from '../support/raw-client.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { startRedisCluster } from '../support/redis-cluster.js';
import { startSentinelRedis } from '../support/redis-sentinel.js';
import { historyEnvironment, NumberedStream } from './numbered-stream.js';

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

describe('several Redis servers', { timeout: 120_000 }, () => {
  test('behind Sentinels, a planned failover and a kill -9 of the primary lose nothing silently', async () => {
    const redis = await startSentinelRedis();
    const [first] = redis.servers;
    const { cluster, stream } = await scene(redis.url, first);
    await redis.failOver();
    await stream.flows(20);
    await eventually(async () => (await first.cli('ROLE')).includes('connected'), { describe: 'the replica follows' });
    await (await redis.primary()).halt();
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
    // Members heard unconfirmed messages, whose idempotency keys were lost with them: a repetition is new, after a gap.
    expect(stream.violations().filter(one => !/came twice$|not linearizable: delivery of/.test(one))).toEqual([]);
    for (const room of rooms) expect(stream.gaps(room).length, room).toBeGreaterThanOrEqual(stream.members.length);
    for (const room of rooms) expect(await missingIn(second, first.prefix, stream, room), room).toEqual([]);
  });

  test('on a Redis Cluster, a moved slot, a planned failover and a kill -9 lose nothing silently', async () => {
    const redis = await startRedisCluster();
    const [first] = redis.servers as [TestRedis, ...TestRedis[]];
    const { cluster, stream } = await scene(redis.url, first);
    await redis.moveSlot(channelOf(first, 'kept:a'));
    await stream.flows(10);
    expect(stream.gaps()).toEqual([]);
    await redis.failOver(channelOf(first, 'kept:b'));
    await stream.flows(10);
    await redis.kill(await redis.primaryOf(channelOf(first, 'kept:c')));
    await expectRecovery(stream, cluster);
  });

  test('of two shards, one that restarts empty concerns its own rooms alone', async () => {
    const [first, second] = [await startRedis({ own: true }), await startRedis({ own: true })];
    const { cluster, stream } = await scene(`${first.url},${second.url}`, first);
    const onSecond = [];
    for (const room of ROOMS) {
      if ((await second.cli('PUBSUB', 'CHANNELS', channelOf(first, room))) !== '') onSecond.push(room);
    }
    expect(onSecond.length).toBeGreaterThan(0);
    expect(onSecond.length).toBeLessThan(ROOMS.length);
    await second.restart();
    await expectRecovery(stream, cluster);
    for (const room of ROOMS) {
      if (onSecond.includes(room)) expect(stream.gaps(room).length, room).toBeGreaterThanOrEqual(stream.members.length);
      else expect(stream.gaps(room), room).toEqual([]);
    }
  });
});
