/** Behavior of both shipped proxy configurations in front of real edges. */
import { eventually, metricValue, readMetrics, sumByLabel } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { startAuthorizer } from '../admission/authorizer-double.js';
import { startCluster } from '../support/cluster.js';
import { readEvents } from '../support/event-reader.js';
import { PROVISION_TIMEOUT_MS } from '../support/provision.js';
import { connect } from '../support/raw-client.js';
import { startRedis } from '../support/redis.js';
import { ask, startEchoEdge, UPGRADE } from './support/echo-edge.js';
import { provisionHaproxy, startHaproxy } from './support/haproxy.js';
import { provisionNginx, startNginx } from './support/nginx.js';
import {
  newcomers,
  nothingHappened,
  startTwoEdges,
  streamThrough,
  upstreamOf,
  upstreamsOf,
} from './support/rolling.js';

beforeAll(() => {
  provisionHaproxy();
  provisionNginx();
}, PROVISION_TIMEOUT_MS);

describe.each([
  { name: 'HAProxy', startProxy: startHaproxy },
  { name: 'nginx', startProxy: startNginx },
])('$name', ({ startProxy }) => {
  test('an edge that crashes: its clients reconnect through the proxy and miss nothing', async () => {
    const cluster = await startTwoEdges({});
    const stream = await streamThrough(cluster, await startProxy(upstreamsOf(cluster)));
    await cluster.edge(0).process.kill('SIGKILL');
    await nothingHappened(stream);
  });

  test.each([
    ['502 of a leaving edge', 502],
    ['connection that a crashing edge ends', 'ends'],
  ] as const)('the %s does not reach the client: the other edge takes it', async (_what, answer) => {
    const cluster = await startCluster({ edges: 1 });
    const leaving = await startEchoEdge(answer);
    const proxy = await startProxy([leaving, upstreamOf(cluster.edge(0))]);
    await newcomers(cluster, proxy, 6);
    expect(leaving.asked).toBeGreaterThan(0);
  });

  test.each([429, 503])('a refusal with %i reaches the client, and no other edge gets the handshake', async status => {
    const edges = [await startEchoEdge(status), await startEchoEdge(status)] as const;
    const { port } = await startProxy(edges);
    for (let i = 0; i < 4; i++) {
      expect(await ask(port, { headers: UPGRADE })).toMatchObject({ status, retryAfter: '7' });
    }
    expect(edges[0].asked + edges[1].asked).toBe(4);
  });

  test('edges that cannot ask the authorizer get each handshake once', async () => {
    const authorizer = await startAuthorizer();
    authorizer.answer = (_, response) => response.writeHead(500).end();
    const env = { HUBBUB_AUTHORIZER_URL: authorizer.url, HUBBUB_AUTHORIZE_CONNECTIONS: 'true' };
    const cluster = await startCluster({ edges: 2, env });
    const proxy = await startProxy(upstreamsOf(cluster));
    const path = `/ws?token=${cluster.token({ user: 'u' })}`;
    for (let i = 0; i < 4; i++) expect((await ask(proxy.port, { path, headers: UPGRADE })).status).toBe(503);
    expect(authorizer.questions.length, 'one question for each handshake').toBe(4);
  });

  test('overloaded edges get each handshake once', async () => {
    const redis = await startRedis({ own: true });
    const env = {
      HUBBUB_SHED_OVERLOAD: 'true',
      HUBBUB_OVERLOAD_SUBSCRIPTION_MS: '500',
      // The edges stay ready, so that the proxy passes handshakes on.
      HUBBUB_PROBE_TIMEOUT_MS: '60000',
      HUBBUB_REDIS_COMMAND_TIMEOUT_MS: '20000',
    };
    const cluster = await startCluster({ edges: 2, redis, env });
    const proxy = await startProxy(upstreamsOf(cluster));
    const path = `/ws?token=${cluster.token({ user: 'u' })}`;
    await redis.pause();
    for (const edge of cluster.edges) {
      await eventually(() => connect(edge.wsUrl, { token: cluster.token({ user: 'waits' }) }));
      await eventually(async () => (await metricValue(edge, 'hubbub_edge_shed_share')) > 0.9);
    }
    const handshakes = async (): Promise<number> => {
      const all = await Promise.all(
        cluster.edges.map(async edge => sumByLabel(await readMetrics(edge), 'hubbub_edge_handshakes_total', 'result')),
      );
      return all.flatMap(sums => Object.values(sums)).reduce((sum, count) => sum + count, 0);
    };
    const before = await handshakes();
    const answers = [];
    for (let i = 0; i < 20; i++) answers.push(await ask(proxy.port, { path, headers: UPGRADE }));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(16);
    for (const { retryAfter } of refused) expect(Number(retryAfter)).toBeGreaterThanOrEqual(1);
    expect(await handshakes(), 'each handshake reached one edge, once').toBe(before + answers.length);
    await redis.resume();
  }, 120_000);

  test('the edge gets the address of the connection, not the one that the client claims', async () => {
    const edge = await startEchoEdge();
    const { port } = await startProxy([edge, edge]);
    const headers = { ...UPGRADE, 'X-Forwarded-For': '203.0.113.9' };
    expect(JSON.parse((await ask(port, { from: '127.0.0.7', headers })).body)).toMatchObject({
      'x-forwarded-for': '127.0.0.7',
      upgrade: 'websocket',
      connection: expect.stringMatching(/^upgrade$/i),
    });
    expect((await ask(port, { method: 'POST', path: '/ws' })).status).toBe(405);
  });

  test('an event stream passes unbuffered, with its heartbeats, and resumes at the other edge', async () => {
    const cluster = await startTwoEdges({ HUBBUB_PING_INTERVAL_MS: '1000' });
    const proxy = await startProxy(upstreamsOf(cluster));
    const base = `http://127.0.0.1:${proxy.port}`;
    const headers = { authorization: `Bearer ${cluster.token({ user: 'poster' })}` };
    const post = async (n: number) => {
      const body = JSON.stringify({ payload: { n }, message_id: `m${n}` });
      const answer = await fetch(`${base}/rooms/kept:red/messages`, { method: 'POST', headers, body });
      expect([answer.status, ((await answer.json()) as { offset: number }).offset]).toEqual([200, n]);
    };
    const read = (lastEventId?: string) =>
      readEvents(`${base}/rooms/kept:red/events`, {
        token: cluster.token({ user: 'reader' }),
        ...(lastEventId !== undefined && { lastEventId }),
      });
    const events = await read();
    await events.nextFrame('room_opened');
    for (let n = 1; n <= 3; n++) {
      await post(n);
      await events.nextFrame({ type: 'new_message', payload: { n } }, { withinMs: 2000 });
    }
    await eventually(() => events.comments > 1);
    const serving = [];
    for (const edge of cluster.edges) serving.push(await metricValue(edge, 'hubbub_edge_event_streams'));
    await cluster.edge(serving.indexOf(1)).process.kill('SIGKILL');
    await events.ended;
    await post(4);
    const again = await read(events.lastEventId);
    await again.nextFrame({ type: 'room_opened', payload: { recovered: true } });
    await again.nextFrame({ type: 'new_message', payload: { n: 4 } });
    expect(again.events.filter(({ data }) => data.type === 'new_message')).toHaveLength(1);
  });

  test('a message that an edge did not answer is not sent to another one', async () => {
    const edges = [await startEchoEdge('ends'), await startEchoEdge('ends')] as const;
    const { port } = await startProxy(edges);
    const answer = await ask(port, { method: 'POST', path: '/rooms/general/messages' });
    expect(answer.status).toBeGreaterThanOrEqual(500);
    expect(edges[0].asked + edges[1].asked).toBe(1);
  });

  test('an edge that trusts the proxy counts connections by client', async () => {
    const env = { HUBBUB_TRUSTED_HOPS: '1', HUBBUB_MAX_CONNECTIONS_PER_ADDRESS: '1' };
    const cluster = await startCluster({ edges: 1, env });
    const edge = upstreamOf(cluster.edge(0));
    const { port } = await startProxy([edge, edge]);
    const connect = async (from: string, claimed: string): Promise<number | undefined> => {
      const path = `/ws?token=${cluster.token({ user: from })}`;
      return (await ask(port, { from, path, headers: { ...UPGRADE, 'X-Forwarded-For': claimed } })).status;
    };
    expect(await connect('127.0.0.7', '203.0.113.1')).toBe(101);
    expect(await connect('127.0.0.8', '203.0.113.1')).toBe(101);
    expect(await connect('127.0.0.7', '203.0.113.2')).toBe(429);
  });
});
