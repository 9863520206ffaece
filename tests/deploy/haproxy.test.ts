/** The shipped HAProxy configuration: an edge that leaves and restarts, and its own operations. */

import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@hubbub/tools/kit';
import { beforeAll, expect, test } from 'vitest';
import { startCluster } from '../support/cluster.js';
import { runHubbub } from '../support/process.js';
import { PROVISION_TIMEOUT_MS } from '../support/provision.js';
import { connect } from '../support/raw-client.js';
import { provisionHaproxy, startHaproxy } from './support/haproxy.js';
import {
  crowdThrough,
  newcomers,
  nothingHappened,
  sessionsOn,
  startAgain,
  startTwoEdges,
  streamThrough,
  upstreamsOf,
} from './support/rolling.js';

const SERVERS = ['edge-1', 'edge-2'];
/** Clients with the delays of the SDK. */
const CROWD = 60;
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

test('a restarted proxy: its clients return over some time and to both edges, and miss nothing', async () => {
  const cluster = await startTwoEdges({});
  const proxy = await startHaproxy(upstreamsOf(cluster));
  const stream = await streamThrough(cluster, proxy);
  const crowd = await crowdThrough(cluster, proxy, CROWD);
  const ended = performance.now();
  await proxy.stop();
  await startHaproxy(upstreamsOf(cluster), proxy.port);
  const returnedAtMs = (await Promise.all(crowd.map(client => client.returned()))).sort((a, b) => a - b);
  await nothingHappened(stream);
  const [first = 0, last = 0] = [returnedAtMs[0], returnedAtMs.at(-1)];
  const from = Math.round(first - ended);
  console.log(`${CROWD} clients returned ${from} to ${Math.round(last - ended)} ms after the end of the proxy`);
  expect(last - first, 'the crowd returns over a second or longer').toBeGreaterThan(1000);
  const [one, two] = [await sessionsOn(cluster.edge(0)), await sessionsOn(cluster.edge(1))];
  expect(Math.abs(one - two), `${one} and ${two} sessions`).toBeLessThanOrEqual(CROWD / 10);
}, 120_000);

test('an edge that joins fills up, and has half of the sessions when the edges moved a share', async () => {
  const cluster = await startTwoEdges({ HUBBUB_DRAIN_WINDOW_MS: '2000' });
  const proxy = await startHaproxy(upstreamsOf(cluster));
  const absent = cluster.edge(1);
  await absent.process.kill('SIGKILL');
  await eventually(async () => (await proxy.server('edge-2')).status === 'DOWN');
  const stream = await streamThrough(cluster, proxy);
  await crowdThrough(cluster, proxy, CROWD);
  const before = await sessionsOn(cluster.edge(0));

  const joined = await startAgain(cluster, absent);
  await eventually(async () => (await proxy.server('edge-2')).status === 'UP');
  expect(await sessionsOn(joined), 'sessions stay where they are').toBe(0);
  expect(await proxy.server('edge-2'), 'its share of the newcomers grows').toMatchObject({ isFilling: true });
  await eventually(async () => !(await proxy.server('edge-2')).isFilling, { withinMs: 60_000 });
  const { redis } = cluster;
  const env = { HUBBUB_REDIS_URL: redis.url, HUBBUB_REDIS_PREFIX: redis.prefix };
  expect(await runHubbub(['drain', '--percent', '50'], env)).toMatchObject({ code: 0 });
  await eventually(async () => (await sessionsOn(joined)) >= before / 2 - CROWD / 10, {
    withinMs: 30_000,
    describe: 'the new edge has half of the sessions',
  });
  await nothingHappened(stream);
  expect(await sessionsOn(cluster.edge(0))).toBeLessThanOrEqual(before / 2 + CROWD / 10);
}, 180_000);

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
