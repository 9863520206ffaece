/** Behavior of both shipped proxy configurations in front of real edges. */
import { beforeAll, describe, expect, test } from 'vitest';
import { startCluster } from '../support/cluster.js';
import { PROVISION_TIMEOUT_MS } from '../support/provision.js';
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
  { name: 'HAProxy', startProxy: startHaproxy, statusOfPost: 405 },
  { name: 'nginx', startProxy: startNginx, statusOfPost: 403 },
])('$name', ({ startProxy, statusOfPost }) => {
  test('an edge that crashes: its clients reconnect through the proxy and miss nothing', async () => {
    const cluster = await startTwoEdges({});
    const stream = await streamThrough(cluster, await startProxy(upstreamsOf(cluster)));
    await cluster.edge(0).process.kill('SIGKILL');
    await nothingHappened(stream);
  });

  test('a client that a leaving edge refuses reaches the other edge', async () => {
    const cluster = await startCluster({ edges: 1 });
    const leaving = await startEchoEdge(503);
    const proxy = await startProxy([leaving, upstreamOf(cluster.edge(0))]);
    await newcomers(cluster, proxy, 6);
    expect(leaving.asked).toBeGreaterThan(0);
  });

  test('the edge gets the address of the connection, not the one that the client claims', async () => {
    const edge = await startEchoEdge();
    const { port } = await startProxy([edge, edge]);
    const headers = { ...UPGRADE, 'X-Forwarded-For': '203.0.113.9' };
    expect(JSON.parse((await ask(port, { from: '127.0.0.7', headers })).body)).toMatchObject({
      'x-forwarded-for': '127.0.0.7',
      upgrade: 'websocket',
      connection: expect.stringMatching(/^upgrade$/i),
    });
    expect((await ask(port, { method: 'POST', path: '/ws' })).status).toBe(statusOfPost);
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
