/** The shipped HAProxy configuration: an edge that leaves and restarts, and its own operations. */

import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@hubbub/tools/kit';
import { beforeAll, expect, test } from 'vitest';
import { startCluster } from '../support/cluster.js';
import { PROVISION_TIMEOUT_MS } from '../support/provision.js';
import { connect } from '../support/raw-client.js';
import { provisionHaproxy, startHaproxy } from './support/haproxy.js';
import {
  newcomers,
  nothingHappened,
  sessionsOn,
  startAgain,
  startTwoEdges,
  streamThrough,
  upstreamsOf,
} from './support/rolling.js';

const SERVERS = ['edge-1', 'edge-2'];
const BUSY_LOOP = new URL('../presence/busy-loop.mjs', import.meta.url).href;
/** Longer than a second, which checks once waited. */
const BUSY_MS = 1800;

beforeAll(() => void provisionHaproxy(), PROVISION_TIMEOUT_MS);

test('an edge leaves and restarts: new clients reach an edge that accepts them, and no client misses a message', async () => {
  const cluster = await startTwoEdges({ HUBBUB_DRAIN_DELAY_MS: '5000' });
  const [leaving, staying] = [cluster.edge(0), cluster.edge(1)];
  const proxy = await startHaproxy(upstreamsOf(cluster));
  const stream = await streamThrough(cluster, proxy);
  const before = await sessionsOn(leaving);
  expect(Math.abs(before - (await sessionsOn(staying))), 'leastconn spreads them evenly').toBeLessThanOrEqual(1);

  const exit = leaving.process.kill('SIGTERM');
  await eventually(async () => (await proxy.server('edge-1')).status === 'DOWN', { withinMs: 4000 });
  const late = await newcomers(cluster, proxy, 4);
  expect(await sessionsOn(leaving), 'a red edge keeps those that it has, and gets no more').toBe(before);
  expect((await proxy.server('edge-1')).connections).toBe(before);
  expect(await exit).toEqual({ code: 0, signal: null });
  expect(await leaving.process.output.waitForLog({ event: 'drained' })).toMatchObject({ notified: before, closed: 0 });
  await stream.flows(20);
  expect(late.filter(client => client.socket.readyState !== client.socket.OPEN)).toEqual([]);

  const back = await startAgain(cluster, leaving);
  await eventually(async () => (await proxy.server('edge-1')).status === 'UP');
  await newcomers(cluster, proxy, 4);
  expect(await sessionsOn(back), 'the edge that came back is used again').toBeGreaterThan(0);
  await nothingHappened(stream);
}, 120_000);

test('an edge is drained by an operator: it keeps its sessions, and gets no more until it is ready again', async () => {
  const cluster = await startTwoEdges({});
  const [drained, other] = [cluster.edge(0), cluster.edge(1)];
  const proxy = await startHaproxy(upstreamsOf(cluster));
  await newcomers(cluster, proxy, 4);
  expect(await proxy.command('set server edges/edge-1 state drain')).toBe('\n');
  await newcomers(cluster, proxy, 4);
  expect([await sessionsOn(drained), await sessionsOn(other)]).toEqual([2, 6]);
  await proxy.command('set server edges/edge-1 state ready');
  await newcomers(cluster, proxy, 2);
  expect(await sessionsOn(drained)).toBeGreaterThan(2);
});

test('edges that are busy together stay in service together', async () => {
  const env = { NODE_OPTIONS: `--import=${BUSY_LOOP}`, BUSY_LOOP_MS: String(BUSY_MS) };
  const cluster = await startTwoEdges(env);
  const proxy = await startHaproxy(upstreamsOf(cluster));
  const seen = new Set<string>();
  for (let round = 0; round < 5; round++) {
    for (const edge of cluster.edges) process.kill(edge.process.pid, 'SIGUSR2');
    const endsAtMs = performance.now() + BUSY_MS;
    while (performance.now() < endsAtMs) {
      for (const name of SERVERS) seen.add((await proxy.server(name)).status);
      await sleep(100);
    }
  }
  expect([...seen]).toEqual(['UP']);
  await newcomers(cluster, proxy, 2);
}, 120_000);

test('checks that fail everywhere do not keep clients out', async () => {
  const cluster = await startTwoEdges({});
  const proxy = await startHaproxy(upstreamsOf(cluster));
  const turnRed = async (name: string): Promise<void> => {
    await proxy.command(`disable health edges/${name}`);
    await proxy.command(`set server edges/${name} health down`);
    await eventually(async () => (await proxy.server(name)).status === 'DOWN');
  };
  await turnRed('edge-1');
  await newcomers(cluster, proxy, 4);
  expect(await sessionsOn(cluster.edge(0)), 'one red edge is one edge less').toBe(0);
  await turnRed('edge-2');
  await newcomers(cluster, proxy, 4);
  expect([await sessionsOn(cluster.edge(0)), await sessionsOn(cluster.edge(1))], 'all are used').toEqual([2, 6]);
});

test('its log contains no token, and its metrics can be scraped', async () => {
  const cluster = await startCluster({ edges: 2 });
  const proxy = await startHaproxy(upstreamsOf(cluster));
  const token = cluster.token({ user: 'secretive' });
  const client = await connect(proxy.wsUrl, { token, tokenIn: 'query' });
  await client.nextFrame('welcome');
  await client.close();
  await proxy.output.waitForLog({ path: '/ws', status: 101 });
  expect(proxy.output.lines.join('\n')).not.toContain(token);
  expect(await proxy.metrics()).toMatch(/^haproxy_server_status\{.*server="edge-1",state="UP"\} 1$/m);
});
