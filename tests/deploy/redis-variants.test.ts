/** The Sentinels and the Redis Cluster of `deploy/compose`, run as processes with their users, and edges and presence on them. */
import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { connectRedis } from '../../examples/state/redis/connection.js';
import { historyEnvironment, NumberedStream } from '../faults/numbered-stream.js';
import { cleanup } from '../support/cleanup.js';
import { startCluster, type TestCluster, type TestEdge } from '../support/cluster.js';
import { connect } from '../support/raw-client.js';
import { ComposeRedis } from './support/compose-redis.js';

/** The output of a primary that was stopped. */
const HANDED_OVER = 'Another server is the primary now.';

/** Two members and the publisher on one edge, in rooms of that edge. */
async function streamOn(cluster: TestCluster, { nodeId, wsUrl }: TestEdge): Promise<NumberedStream> {
  const members = ['one', 'two'].map(name => ({ name, url: wsUrl }));
  const rooms = ['a', 'b', 'c'].map(letter => `kept:${nodeId}-${letter}`);
  return await NumberedStream.start(cluster, { rooms, members, publisherUrl: wsUrl });
}

/** An edge and presence, each with its own Redis user. */
async function startWithUsers(urlOf: (role: 'edge' | 'presence') => string): Promise<TestCluster> {
  const cluster = await startCluster({
    edges: 0,
    presence: 0,
    env: { ...historyEnvironment(), HUBBUB_REDIS_PREFIX: 'hubbub' },
  });
  await cluster.addPresence({ env: { HUBBUB_REDIS_URL: urlOf('presence') } });
  await cluster.addEdge({ env: { HUBBUB_REDIS_URL: urlOf('edge') } });
  return cluster;
}

/** The state of the example is in the same Redis, with the user of services. */
async function expectExampleState(redis: ComposeRedis): Promise<void> {
  const state = connectRedis(redis.urlOf('service'));
  cleanup(() => state.disconnect());
  expect(await state.set('hubbub-example:chat:rooms', '1')).toBe('OK');
  await expect(state.set('other:key', '1')).rejects.toThrow('NOPERM');
}

/** Resolves with the first role that the server reports after its start. */
async function firstRole(redis: ComposeRedis, name: string): Promise<unknown> {
  return await eventually(async () => {
    const role = await redis.ask(name, 'ROLE').catch(() => undefined); // It does not listen yet.
    return Array.isArray(role) && role[0];
  });
}

async function primariesOf(redis: ComposeRedis, servers: readonly string[]): Promise<string[]> {
  const roles = await Promise.all(servers.map(name => firstRole(redis, name)));
  return servers.filter((_, index) => roles[index] === 'master');
}

/** The service that Sentinels name. */
async function primaryOf(redis: ComposeRedis): Promise<string> {
  const [host, port] = (await redis.ask('sentinel-1', 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'hubbub')) as string[];
  const found = redis.names(/^redis/).find(name => redis.addressOf(name) === `${host}:${port}`);
  if (found === undefined) throw new Error(`The Sentinels name ${host}:${port}, which is no service.`);
  return found;
}

async function sentinelsKnow(redis: ComposeRedis, replicas: number): Promise<void> {
  for (const name of redis.names(/^sentinel/)) {
    // They ask the primary for its replicas every 10 s otherwise.
    await redis.ask(name, 'SENTINEL', 'DEBUG', 'INFO-PERIOD', '500');
    await eventually(
      async () => {
        const known = (await redis.ask(name, 'SENTINEL', 'REPLICAS', 'hubbub')) as string[][];
        return known.filter(fields => fields.includes('slave')).length === replicas;
      },
      { describe: `${name} knows ${replicas} living replicas` },
    );
  }
}

test('one server gets Sentinels without a stop, a former primary returns as a replica, and messages need no quorum', async () => {
  const redis = await ComposeRedis.prepare('sentinel');
  redis.startAlone();
  await firstRole(redis, 'redis');
  const cluster = await startWithUsers(role => redis.urlOfOneServer(role));
  const before = await streamOn(cluster, cluster.edge(0));
  redis.start(...redis.names(/^(redis-|sentinel)/));
  await eventually(() => redis.areHealthy(/^(redis|sentinel)/), { describe: 'all containers are healthy' });
  await sentinelsKnow(redis, 2);
  const edge = await cluster.addEdge({ env: { HUBBUB_REDIS_URL: redis.urlOf('edge') } });
  await cluster.addPresence({ env: { HUBBUB_REDIS_URL: redis.urlOf('presence') } });
  await expectExampleState(redis);
  const newcomer = await connect(edge.wsUrl, { token: cluster.token({ user: 'newcomer' }) });
  await newcomer.join('kept:edge-1-a');
  await newcomer.nextFrame({ type: 'new_message' });
  await before.end();
  expect([...before.violations(), ...before.gaps()], 'losses and gaps during the change').toEqual([]);
  await Promise.all([cluster.edge(0).process.terminate(), cluster.presence[0]?.terminate()]);

  const stream = await streamOn(cluster, edge);
  await redis.kill('redis');
  await stream.flows(10);
  redis.start('redis');
  expect(await firstRole(redis, 'redis')).toBe('slave');
  await sentinelsKnow(redis, 2);

  // A majority of the Sentinels dies.
  const primary = await primaryOf(redis);
  const replica = redis.names(/^redis-/).find(name => name !== primary) ?? '';
  await redis.kill('sentinel-1', 'sentinel-2', replica);
  await stream.flows(10);
  redis.start(replica);
  await redis.prints(replica, 'Waiting until a majority of the Sentinels names the primary.');
  redis.start('sentinel-1', 'sentinel-2');
  await eventually(() => redis.areHealthy(/^(redis|sentinel)/), { describe: 'all containers are healthy again' });
  await sentinelsKnow(redis, 2);

  expect(await redis.stop(primary)).toContain(HANDED_OVER);
  expect(await primaryOf(redis)).not.toBe(primary);
  await stream.flows(10);
  await stream.end();
  expect(stream.violations()).toEqual([]);
}, 120_000);

test('a Redis Cluster is created once, survives its majority, and finds itself at other addresses', async () => {
  const redis = await ComposeRedis.prepare('cluster');
  const servers = redis.names(/^redis/);
  redis.start(...servers);
  expect(await redis.run('create-cluster')).toContain('[OK] All 16384 slots covered.');
  const primaries = await primariesOf(redis, servers);
  expect(await redis.run('create-cluster')).toBe('The Cluster of 6 servers is whole.\n');
  expect(await primariesOf(redis, servers)).toEqual(primaries);
  await eventually(() => redis.areHealthy(/^redis/), { describe: 'all containers are healthy' });

  const cluster = await startWithUsers(role => redis.urlOf(role));
  await expectExampleState(redis);
  const stream = await streamOn(cluster, cluster.edge(0));
  expect(await redis.stop('redis')).toContain(HANDED_OVER);
  expect(await primariesOf(redis, servers.slice(1))).toHaveLength(3);
  await stream.flows(10);
  expect(stream.gaps()).toEqual([]);

  redis.start('redis');
  await eventually(() => redis.areHealthy(/^redis/), { describe: 'redis returned' });
  const majority = (await primariesOf(redis, servers)).slice(1);
  const asker = await connect(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'asker' }) });
  await asker.join('kept:a');
  await redis.kill(...majority);
  await eventually(async () => String(await redis.ask('redis', 'CLUSTER', 'INFO')).includes('cluster_state:fail'));
  expect(await asker.ask({ type: 'send_message', room: 'kept:a', payload: {} })).toMatchObject({
    type: 'error',
    payload: { code: 'UNAVAILABLE' },
  });
  redis.start(...majority);
  await stream.flows(10);
  await stream.end();
  expect(stream.violations()).toEqual([]);

  await redis.kill(...servers);
  await redis.move();
  redis.start(...servers);
  await eventually(() => redis.areHealthy(/^redis/), {
    withinMs: 60_000,
    describe: 'all containers are healthy at other addresses',
  });
}, 180_000);
