/** Rooms and registry on two Redis (HUBBUB_REGISTRY_REDIS_URL): the failure of one leaves the work of the other. */
import { connectHubbub } from '@hubbub/server';
import { eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { startApi } from '../api/api-process.js';
import { withNamespaces } from '../presence/config-file.js';
import { cleanup } from '../support/cleanup.js';
import { type Environment, startCluster, type TestCluster } from '../support/cluster.js';
import { connect, type RawClient } from '../support/raw-client.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { startRedisCluster } from '../support/redis-cluster.js';
import { startSentinelRedis } from '../support/redis-sentinel.js';
import { historyEnvironment, NumberedStream } from './numbered-stream.js';

const ROOMS = ['kept:a', 'kept:b', 'plain:c'];
const PRESENCE_KEY = 'two-redis-key';

interface Scene {
  readonly rooms: TestRedis;
  readonly registry: TestRedis;
  readonly cluster: TestCluster;
}

async function scene(environment: Environment = {}): Promise<Scene> {
  const [rooms, registry] = await Promise.all([startRedis({ own: true }), startRedis({ own: true })]);
  const env = {
    ...historyEnvironment(),
    ...environment,
    HUBBUB_REGISTRY_REDIS_URL: registry.url,
    HUBBUB_PRESENCE_API_KEYS: PRESENCE_KEY,
  };
  return { rooms, registry, cluster: await startCluster({ redis: rooms, env }) };
}

async function member(cluster: TestCluster, user: string, edge = 0): Promise<RawClient> {
  return await connect(cluster.edge(edge).wsUrl, { name: user, token: cluster.token({ user }) });
}

/** As presence answers over HTTP. */
async function roster(cluster: TestCluster, room: string): Promise<string[]> {
  const address = `${cluster.presence[0]?.adminUrl}/rooms/${encodeURIComponent(room)}/roster`;
  const answer = await fetch(address, { headers: { authorization: `Bearer ${PRESENCE_KEY}` } });
  const { users } = (await answer.json()) as { users: { id: string; online: boolean }[] };
  return users
    .filter(({ online }) => online)
    .map(({ id }) => id)
    .sort();
}

async function expectRoster(cluster: TestCluster, room: string, users: readonly string[]): Promise<void> {
  let last: string[] = [];
  const isRight = async () => {
    last = await roster(cluster, room);
    return last.join() === users.join();
  };
  await eventually(isRight, { describe: `the roster of ${room} is ${users}` }).catch((error: Error) => {
    throw new Error(`${error.message}; it is ${last}`);
  });
}

async function readiness(adminUrl = ''): Promise<{ ready: boolean; checks: Record<string, string> }> {
  return (await (await fetch(`${adminUrl}/readyz`)).json()) as { ready: boolean; checks: Record<string, string> };
}

/** The kinds of keys of a server, without rooms and partitions. */
async function kindsOf(server: TestRedis, prefix: string): Promise<string[]> {
  const keys = (await server.cli('KEYS', `${prefix}:*`)).split('\n').filter(key => key !== '');
  return [...new Set(keys.map(key => key.split(':')[1] ?? ''))].sort();
}

describe('rooms and registry on two Redis', { timeout: 120_000 }, () => {
  test('each has its own keys, and services and the HTTP API reach both', async () => {
    const namespaces = withNamespaces({ kept: { public: true, historySize: 100, events: ['*'] } });
    const { rooms, registry, cluster } = await scene(namespaces);
    const registryRedisUrl = registry.url;
    const service = connectHubbub({ redisUrl: rooms.url, registryRedisUrl, redisPrefix: rooms.prefix });
    cleanup(() => service.close());
    const api = await startApi(cluster, { env: { HUBBUB_REGISTRY_REDIS_URL: registryRedisUrl } });
    service.onEvents('kept', { group: 'echo' }, async event => {
      await service.publishToRoom('kept:a', { type: 'echoed', payload: event.payload });
    });
    const ada = await member(cluster, 'ada');
    await ada.join('kept:a');
    expect((await ada.ask({ type: 'shouted', room: 'kept:a', payload: { n: 7 } })).type).toBe('ack');
    expect(await ada.nextFrame('echoed')).toMatchObject({ payload: { n: 7 }, offset: 1 });
    await expectRoster(cluster, 'kept:a', ['ada']);
    await eventually(async () => (await api.get('/online')).body.online === 1, { describe: 'one user is online' });
    expect(await kindsOf(rooms, rooms.prefix)).toEqual(expect.arrayContaining(['history', 'namespaces']));
    for (const kind of ['presence', 'events']) expect(await kindsOf(rooms, rooms.prefix)).not.toContain(kind);
    expect(await kindsOf(registry, rooms.prefix)).toEqual(['events', 'presence']);

    await registry.halt();
    await eventually(async () => (await readiness(api.process.adminUrl)).checks.registry?.includes('not answered'));
    expect(await readiness(api.process.adminUrl)).toMatchObject({ ready: true });
    expect((await api.post('/rooms/kept:a/messages', { type: 'build.finished' })).status).toBe(200);
    await ada.nextFrame('build.finished');
    const refused = await ada.ask({ type: 'shouted', room: 'kept:a', payload: {} });
    expect(refused).toMatchObject({ type: 'error', payload: { code: 'UNAVAILABLE' } });
  });

  test('while the registry is dead, messages flow; when it is back, without its data, rosters are right', async () => {
    const { registry, cluster } = await scene();
    const members = cluster.edges.map(({ wsUrl }, edge) => ({ name: `member-${edge}`, url: wsUrl }));
    const publisherUrl = cluster.edge(0).wsUrl;
    const stream = await NumberedStream.start(cluster, { rooms: ROOMS, members, publisherUrl });
    const leaver = await member(cluster, 'leaver');
    await leaver.join('kept:a');
    await expectRoster(cluster, 'kept:a', ['leaver', 'member-0', 'member-1', 'publisher']);
    await registry.halt();
    await stream.flows(50);
    leaver.close();
    const newcomer = await member(cluster, 'newcomer', 1);
    await newcomer.join('kept:a');
    await stream.flows(50);
    for (const { adminUrl } of cluster.edges) {
      const { ready, checks } = await eventually(async () => {
        const answer = await readiness(adminUrl);
        return answer.checks.registry === 'does not take reports' && answer;
      });
      expect(ready, JSON.stringify(checks)).toBe(true);
    }
    await registry.start();
    await expectRoster(cluster, 'kept:a', ['member-0', 'member-1', 'newcomer', 'publisher']);
    await stream.end();
    expect(stream.violations()).toEqual([]);
    expect(stream.gaps()).toEqual([]);
    expect(stream.refused).toEqual([]);
    for (const { adminUrl } of cluster.edges) {
      expect(await readiness(adminUrl)).toMatchObject({ ready: true, checks: { registry: 'takes reports' } });
    }
  });

  test('when the Redis of the rooms restarts, members get their messages, and the roster of a change that they missed', async () => {
    const { rooms, cluster } = await scene();
    const members = cluster.edges.map(({ wsUrl }, edge) => ({ name: `member-${edge}`, url: wsUrl }));
    const publisherUrl = cluster.edge(0).wsUrl;
    const stream = await NumberedStream.start(cluster, { rooms: ['kept:a'], members, publisherUrl });
    const [witness, leaver] = [await member(cluster, 'witness'), await member(cluster, 'leaver')];
    for (const one of [witness, leaver]) await one.join('kept:a');
    await expectRoster(cluster, 'kept:a', ['leaver', 'member-0', 'member-1', 'publisher', 'witness']);
    await rooms.halt({ keepData: true });
    await leaver.send({ type: 'leave_room', payload: { room_id: 'kept:a' } });
    await expectRoster(cluster, 'kept:a', ['member-0', 'member-1', 'publisher', 'witness']);
    expect(await readiness(cluster.presence[0]?.adminUrl)).toMatchObject({ ready: true });
    await rooms.start();
    await witness.nextFrame(
      ({ type, room, payload }) => type === 'room_info' && room === 'kept:a' && payload?.count === 4,
    );
    await stream.flows(20);
    await stream.end();
    expect(stream.violations()).toEqual([]);
    expect(stream.lost('kept:a')).toBe(0);
  });

  test('while the Redis of the rooms is frozen, presence keeps its lease and its rosters', async () => {
    const { rooms, registry, cluster } = await scene({ HUBBUB_REDIS_COMMAND_TIMEOUT_MS: '7000' });
    const [witness, leaver] = [await member(cluster, 'witness'), await member(cluster, 'leaver', 1)];
    for (const room of ['plain:c', 'kept:a']) {
      for (const one of [witness, leaver]) await one.join(room);
      await expectRoster(cluster, room, ['leaver', 'witness']);
    }
    await rooms.pause();
    leaver.send({ type: 'leave_room', payload: { room_id: 'plain:c' } });
    await expectRoster(cluster, 'plain:c', ['witness']);
    // Presence applies this one when it has given up the first message.
    leaver.send({ type: 'leave_room', payload: { room_id: 'kept:a' } });
    const instances = `${rooms.prefix}:presence:instances`;
    const lapsed: string[] = [];
    const hasLeft = async () => {
      lapsed.push(await registry.cli('ZRANGE', instances, '0', String(Date.now()), 'BYSCORE'));
      return (await roster(cluster, 'kept:a')).join() === 'witness';
    };
    await eventually(hasLeft, { describe: 'the second leave is in the roster' });
    expect(lapsed.filter(instance => instance !== '')).toEqual([]);
    expect(await readiness(cluster.presence[0]?.adminUrl)).toMatchObject({ ready: true });
    await rooms.resume();
    await witness.nextFrame(({ type, payload }) => type === 'room_info' && payload?.count === 1);
  });

  test('on a Redis Cluster and behind Sentinels, members hear each other, joins and leaves', async () => {
    const [ofRooms, ofRegistry] = await Promise.all([startRedisCluster({ replicas: false }), startSentinelRedis()]);
    const [first] = ofRooms.servers as [TestRedis, ...TestRedis[]];
    const cluster = await startCluster({
      redis: { ...first, url: ofRooms.url },
      env: { ...historyEnvironment(), HUBBUB_REGISTRY_REDIS_URL: ofRegistry.url },
    });
    const [ada, bob] = [await member(cluster, 'ada', 0), await member(cluster, 'bob', 1)];
    for (const room of ROOMS) {
      await ada.join(room);
      await bob.join(room);
      await ada.nextFrame(
        ({ type, room: of, sender }) => type === 'user_joined' && of === room && sender?.id === 'bob',
      );
      const isSent = async () => (await bob.ask({ type: 'send_message', room, payload: { in: room } })).type === 'ack';
      await eventually(isSent, { describe: `a message to ${room} is acknowledged` });
      expect((await ada.nextFrame('new_message')).payload).toMatchObject({ in: room });
    }
    await ofRegistry.failOver();
    const earlier = new Set(ada.frames);
    await bob.ask({ type: 'leave_room', payload: { room_id: 'kept:b' } });
    // If the report was lost with the old primary, the edge reports everything again, and the roster follows.
    await ada.nextFrame(frame => {
      const { type, room, payload } = frame;
      if (earlier.has(frame) || room !== 'kept:b' || payload?.count !== 1) return false;
      return type === 'user_left' || type === 'room_info';
    });
  });
});
