/** A Redis that is full, or became a replica under live connections: health is red, writes are refused, and all recovers. */
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { startApi } from '../api/api-process.js';
import { withNamespaces } from '../presence/config-file.js';
import { startCluster, type TestEdge } from '../support/cluster.js';
import type { TestProcess } from '../support/process.js';
import { runHubbub } from '../support/process.js';
import { connect } from '../support/raw-client.js';
import { startRedis } from '../support/redis.js';
import { startTcpProxy } from '../support/tcp-proxy.js';

const QUICK = { HUBBUB_PROBE_INTERVAL_MS: '100', HUBBUB_PROBE_TIMEOUT_MS: '1000' };
const HISTORY = withNamespaces({ chat: { public: true, historySize: 100, historyTtlMs: 60_000 } });

async function readiness({ adminUrl }: Pick<TestEdge | TestProcess, 'adminUrl'>) {
  const answer = await fetch(`${adminUrl}/readyz`);
  return { status: answer.status, text: await answer.text() };
}

async function turns(part: Pick<TestEdge | TestProcess, 'adminUrl'>, status: number, what: string): Promise<string> {
  const found = await eventually(
    async () => {
      const now = await readiness(part);
      return now.status === status ? now : undefined;
    },
    { describe: `${what} turns ${status}` },
  );
  return found.text;
}

test('a Redis that is full: edge, presence and API are red with the reason, a message is refused, and all recover afterwards', async () => {
  const redis = await startRedis({ own: true });
  const cluster = await startCluster({ redis, edges: 1, env: { ...QUICK, ...HISTORY } });
  const api = await startApi(cluster, { env: QUICK });
  const alice = await connect(cluster.edge(0).wsUrl, { name: 'alice', token: cluster.token({ user: 'alice' }) });
  await alice.join('chat:1');
  const [presence] = cluster.presence;
  if (presence === undefined) throw new Error('no presence');

  await redis.cli('CONFIG', 'SET', 'maxmemory', '1');
  expect(await turns(cluster.edge(0), 503, 'the edge')).toContain('OOM');
  expect(await turns(api.process, 503, 'the API')).toContain('OOM');
  await turns(presence, 503, 'presence');
  const refused = await alice.ask({ type: 'send_message', room: 'chat:1', payload: {} });
  expect(refused).toMatchObject({
    type: 'error',
    payload: { code: expect.stringMatching(/UNAVAILABLE|OUTCOME_UNKNOWN/) },
  });

  await redis.cli('CONFIG', 'SET', 'maxmemory', '0');
  await turns(cluster.edge(0), 200, 'the edge');
  await turns(api.process, 200, 'the API');
  await turns(presence, 200, 'presence');
  expect(await alice.ask({ type: 'send_message', room: 'chat:1', payload: {} })).toMatchObject({ type: 'ack' });
});

test('a Redis that was full for longer than a lease, and again: no edge is reaped, and no member leaves', async () => {
  const redis = await startRedis({ own: true });
  const env = { ...QUICK, HUBBUB_NODE_LEASE_MS: '3000' };
  const cluster = await startCluster({ redis, edges: 2, env });
  const [presence] = cluster.presence;
  if (presence === undefined) throw new Error('no presence');
  const alice = await connect(cluster.edge(0).wsUrl, { name: 'alice', token: cluster.token({ user: 'alice' }) });
  const bob = await connect(cluster.edge(1).wsUrl, { name: 'bob', token: cluster.token({ user: 'bob' }) });
  for (const client of [alice, bob]) await client.join('general');
  await eventually(async () => (await alice.ask({ type: 'online_users', room: 'general' })).payload?.count === 2);

  const full = async (forMs: number): Promise<void> => {
    await redis.cli('CONFIG', 'SET', 'maxmemory', '1');
    await sleep(forMs);
    await redis.cli('CONFIG', 'SET', 'maxmemory', '0');
  };
  await full(5000);
  // Room for a check of presence between two such times, and hardly one for an edge.
  for (let n = 0; n < 4; n++) {
    await full(2500);
    await sleep(150);
  }
  await turns(presence, 200, 'presence');
  await sleep(6000);
  const { payload } = await eventually(async () => {
    const answer = await alice.ask({ type: 'online_users', room: 'general' });
    return answer.type === 'online_users' ? answer : undefined;
  });
  expect(payload?.count).toBe(2);
  const metrics = await (await fetch(`${presence.adminUrl}/metrics`)).text();
  expect(metrics).toContain('\nhubbub_presence_reaped_nodes_total 0\n');
  expect([...alice.frames, ...bob.frames].filter(({ type }) => type === 'user_left')).toEqual([]);
}, 120_000);

test('a primary that becomes a replica: everything is red, no acknowledged message is lost, and the new primary is found', async () => {
  const [old, promoted] = [await startRedis({ own: true }), await startRedis({ own: true })];
  const proxy = await startTcpProxy({ to: old.port });
  const address = `redis://127.0.0.1:${proxy.port}`;
  const cluster = await startCluster({ redis: { ...old, url: address }, edges: 1, env: QUICK });
  const [presence] = cluster.presence;
  if (presence === undefined) throw new Error('no presence');
  const alice = await connect(cluster.edge(0).wsUrl, { name: 'alice', token: cluster.token({ user: 'alice' }) });
  const bob = await connect(cluster.edge(0).wsUrl, { name: 'bob', token: cluster.token({ user: 'bob' }) });
  for (const client of [alice, bob]) await client.join('general');
  await bob.nextFrame('room_info');

  await old.cli('REPLICAOF', '127.0.0.1', String(promoted.port));
  expect(await turns(cluster.edge(0), 503, 'the edge')).toContain('replica');
  await turns(presence, 503, 'presence');
  expect(await alice.ask({ type: 'send_message', room: 'general', payload: {} })).toMatchObject({ type: 'error' });
  const doctor = await runHubbub(['doctor', '--json'], { HUBBUB_REDIS_URL: address, HUBBUB_REDIS_PREFIX: old.prefix });
  expect(doctor.code).toBe(1);
  const { checks } = JSON.parse(doctor.stdout) as { checks: { name: string; verdict: string }[] };
  expect(checks).toContainEqual(expect.objectContaining({ name: 'Redis role', verdict: 'fail' }));
  expect(checks).toContainEqual(expect.objectContaining({ name: 'publish and hear', verdict: 'fail' }));

  proxy.retarget(promoted.port);
  await turns(cluster.edge(0), 200, 'the edge');
  await turns(presence, 200, 'presence');
  expect(await alice.ask({ type: 'send_message', room: 'general', id: 'm1', payload: {} })).toMatchObject({
    type: 'ack',
  });
  await bob.nextFrame('new_message');
  // Presence uses the new primary too: its answer names both.
  await eventually(
    async () => {
      const answer = await bob.ask({ type: 'online_users', room: 'general' });
      return answer.payload?.count === 2;
    },
    { withinMs: 30_000, describe: 'the roster is whole again' },
  );
}, 120_000);
