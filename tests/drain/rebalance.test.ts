/** Edges that stay in service move sessions to an edge that was added: no message is lost, and no roster changes. */
import { eventually, metricValue } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { startApi } from '../api/api-process.js';
import { provisionHaproxy, startHaproxy } from '../deploy/support/haproxy.js';
import { nothingHappened, sessionsOn, startTwoEdges, streamThrough, upstreamsOf } from '../deploy/support/rolling.js';
import { startCluster, type TestEdge } from '../support/cluster.js';
import { runHubbub } from '../support/process.js';
import { PROVISION_TIMEOUT_MS } from '../support/provision.js';
import { connect } from '../support/raw-client.js';

const ROOM = 'kept:red';

const moved = (edge: TestEdge, reason: 'request' | 'age') =>
  metricValue(edge, `hubbub_edge_moved_sessions_total{reason="${reason}"}`);

/** Twelve members and a publisher on the first edge; the second one is new. A witness sees the rosters. */
async function scaleOut(env: Readonly<Record<string, string>> = {}) {
  const cluster = await startTwoEdges(env);
  const [full, added] = [cluster.edge(0), cluster.edge(1)];
  const proxy = await startHaproxy(upstreamsOf(cluster));
  await proxy.command('set server edges/edge-2 state drain');
  const stream = await streamThrough(cluster, proxy);
  const aside = await cluster.addEdge({ nodeId: 'aside', env: { HUBBUB_MAX_SESSION_AGE_MS: '0' } });
  const witness = await connect(aside.wsUrl, { name: 'witness', token: cluster.token({ user: 'witness' }) });
  await witness.join(ROOM);
  const roster = async (): Promise<unknown> => (await witness.ask({ type: 'online_users', room: ROOM })).payload?.count;
  await eventually(async () => Number(await roster()) >= (await sessionsOn(full)));
  await proxy.command('set server edges/edge-2 state ready');
  return { cluster, full, added, stream, witness, roster };
}

describe('after an edge was added', { timeout: 120_000 }, () => {
  beforeAll(() => void provisionHaproxy(), PROVISION_TIMEOUT_MS);

  test('hubbub drain --percent moves a share of the sessions, and the edge stays in service', async () => {
    const { cluster, full, added, stream, witness, roster } = await scaleOut();
    const before = await sessionsOn(full);
    const members = await roster();
    const env = { HUBBUB_REDIS_URL: cluster.redis.url, HUBBUB_REDIS_PREFIX: cluster.redis.prefix };
    expect(await runHubbub(['drain', '--percent', '50', '--node', 'edge-1'], env)).toMatchObject({
      code: 0,
      stdout: 'asked edge-1 to move 50 % of the sessions\n',
    });
    const share = Math.ceil(before / 2);
    const ended = await full.process.output.waitForLog({ event: 'rebalance_ended' });
    expect(ended).toMatchObject({ notified: share, closed: 0 });
    expect(await moved(full, 'request')).toBe(share);
    await eventually(async () => (await sessionsOn(full)) + (await sessionsOn(added)) === before);
    expect(await sessionsOn(added), 'the balancer sends them to the emptier edge').toBeGreaterThan(share / 2);
    expect((await fetch(`${full.adminUrl}/readyz`)).status).toBe(200);
    await nothingHappened(stream);
    expect(await roster()).toBe(members);
    await witness.noFrame('user_left');
  });

  test('a maximum age moves sessions at different times', async () => {
    const { full, added, stream, witness } = await scaleOut({ HUBBUB_MAX_SESSION_AGE_MS: '10000' });
    await eventually(async () => (await moved(full, 'age')) >= 8, { withinMs: 30_000 });
    await eventually(async () => (await sessionsOn(added)) > 2);
    await nothingHappened(stream);
    await witness.noFrame('user_left');
  });
});

describe('hubbub drain', () => {
  test('refuses an unknown edge and a wrong share, and so does the HTTP API', async () => {
    const cluster = await startCluster({ edges: 1 });
    const { redis } = cluster;
    const env = { HUBBUB_REDIS_URL: redis.url, HUBBUB_REDIS_PREFIX: redis.prefix };
    expect(await runHubbub(['drain', '--percent', '20', '--node', 'edge-9'], env)).toMatchObject({
      code: 1,
      stderr: 'hubbub: There is no edge edge-9.\n',
    });
    expect((await runHubbub(['drain', '--percent', '0'], env)).code).toBe(2);
    expect((await runHubbub(['drain'], env)).code).toBe(2);
    const api = await startApi(cluster);
    expect(await api.post('/nodes/drain', { percent: 20 })).toMatchObject({ status: 200, body: { nodes: ['edge-1'] } });
    expect((await api.post('/nodes/drain', { percent: 20, node: 'edge-9' })).status).toBe(404);
    expect((await api.post('/nodes/drain', { percent: 101 })).status).toBe(400);
  });
});
