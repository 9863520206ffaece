/** The shipped nginx configuration: an edge that leaves and restarts, and its own operations. */

import { eventually } from '@hubbub/tools/kit';
import { beforeAll, expect, test } from 'vitest';
import { startCluster } from '../support/cluster.js';
import { PROVISION_TIMEOUT_MS } from '../support/provision.js';
import { connect } from '../support/raw-client.js';
import { startDns } from './support/dns.js';
import { provisionNginx, provisionResolvingNginx, startNginx, startResolvingNginx } from './support/nginx.js';
import {
  newcomers,
  nothingHappened,
  sessionsOn,
  startAgain,
  startTwoEdges,
  streamThrough,
  upstreamsOf,
} from './support/rolling.js';

let resolvingNginx: string | undefined;
beforeAll(() => {
  provisionNginx();
  resolvingNginx = provisionResolvingNginx();
}, PROVISION_TIMEOUT_MS);

test('an edge leaves and restarts: its port is closed, the other one takes all clients, and no client misses a message', async () => {
  const cluster = await startTwoEdges({ HUBBUB_DRAIN_DELAY_MS: '0' });
  const [leaving, staying] = [cluster.edge(0), cluster.edge(1)];
  const proxy = await startNginx(upstreamsOf(cluster));
  const stream = await streamThrough(cluster, proxy);
  const before = await sessionsOn(leaving);
  expect(Math.abs(before - (await sessionsOn(staying))), 'least_conn spreads them evenly').toBeLessThanOrEqual(1);

  const exit = leaving.process.kill('SIGTERM');
  await leaving.process.output.waitForLog({ event: 'draining' });
  const late = await newcomers(cluster, proxy, 4);
  expect(await exit).toEqual({ code: 0, signal: null });
  expect(await leaving.process.output.waitForLog({ event: 'drained' })).toMatchObject({ notified: before, closed: 0 });
  await stream.flows(20);
  expect(late.filter(client => client.socket.readyState !== client.socket.OPEN)).toEqual([]);

  const back = await startAgain(cluster, leaving);
  await eventually(async () => {
    const [client] = await newcomers(cluster, proxy, 1);
    await client?.close();
    return (await handshakesOn(back.adminUrl)) > 0;
  });
  await newcomers(cluster, proxy, 4);
  expect(await sessionsOn(back), 'the edge that came back is the emptiest').toBe(4);
  await nothingHappened(stream);
}, 120_000);

test('an edge moves to another address: with `resolve` nginx follows its name, and no client misses a message', async ({
  skip,
}) => {
  const program = resolvingNginx ?? skip('There is no nginx 1.27.3 for this platform.');
  const cluster = await startTwoEdges({ HUBBUB_DRAIN_DELAY_MS: '0' });
  const moving = cluster.edge(0);
  const dns = await startDns({ 'edge-1': '127.0.0.1', 'edge-2': '127.0.0.1' });
  const proxy = await startResolvingNginx(program, upstreamsOf(cluster), dns.port);
  const stream = await streamThrough(cluster, proxy);
  expect(await sessionsOn(moving)).toBeGreaterThan(0);

  expect(await moving.process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  dns.addresses.set('edge-1', '127.0.0.2');
  const env = { HUBBUB_HOST: '127.0.0.2', HUBBUB_PORT: String(moving.process.port) };
  const moved = await cluster.addEdge({ nodeId: 'edge-1', env });
  await eventually(async () => {
    const [client] = await newcomers(cluster, proxy, 1);
    await client?.close();
    return (await handshakesOn(moved.adminUrl)) > 0;
  });
  await nothingHappened(stream);
}, 120_000);

test('its log contains no token', async () => {
  const cluster = await startCluster({ edges: 2 });
  const proxy = await startNginx(upstreamsOf(cluster));
  const token = cluster.token({ user: 'secretive' });
  const client = await connect(proxy.wsUrl, { token, tokenIn: 'query' });
  await client.nextFrame('welcome');
  await client.close();
  await eventually(() => /"path":"\/ws","status":101/.test(proxy.accessLog()));
  expect(proxy.accessLog()).not.toContain(token);
});

async function handshakesOn(adminUrl: string): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  return Number(/^hubbub_edge_handshakes_total\{result="accepted"\} (\d+)$/m.exec(text)?.[1] ?? 0);
}
