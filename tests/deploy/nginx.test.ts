/** The shipped nginx configuration: an edge that leaves and restarts, and its own operations. */

import { eventually } from '@hubbub/tools/kit';
import { beforeAll, expect, test } from 'vitest';
import { startCluster } from '../support/cluster.js';
import { PROVISION_TIMEOUT_MS } from '../support/provision.js';
import { connect } from '../support/raw-client.js';
import { provisionNginx, startNginx } from './support/nginx.js';
import {
  newcomers,
  nothingHappened,
  sessionsOn,
  startAgain,
  startTwoEdges,
  streamThrough,
  upstreamsOf,
} from './support/rolling.js';

beforeAll(() => void provisionNginx(), PROVISION_TIMEOUT_MS);

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
