/** An edge that drains: its clients move to the other edge, spread out, and no client is refused or lost. */
import { createConnection } from 'node:net';
import { eventually, metricValue } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { startCluster, startEmbedded, type TestCluster, type TestEdge } from '../support/cluster.js';
import { connect, type RawClient } from '../support/raw-client.js';

const CLIENTS = 60;

function session(cluster: TestCluster, edge: TestEdge, user: string): Promise<RawClient> {
  return connect(edge.wsUrl, { name: user, token: cluster.token({ user }) });
}

describe('SIGTERM', () => {
  test('moves every client to the other edge within the window, spread out; the process ends with 0', async () => {
    const cluster = await startCluster({ edges: 2, env: { HUBBUB_DRAIN_WINDOW_MS: '4000' } });
    const [leaving, staying] = [cluster.edge(0), cluster.edge(1)];
    const witness = await session(cluster, staying, 'witness');
    await witness.join('general');
    const users = Array.from({ length: CLIENTS }, (_, i) => `user-${i}`);
    const clients = await Promise.all(users.map(user => session(cluster, leaving, user)));
    await Promise.all(clients.map(client => client.join('general')));
    await eventually(async () => (await witness.ask({ type: 'online_users', room: 'general' })).payload?.count === 61);

    const startedAtMs = performance.now();
    const plannedMs: number[] = [];
    const move = async (client: RawClient): Promise<void> => {
      const { payload } = await client.nextFrame('reconnect');
      const delayMs = payload?.delay_ms as number;
      plannedMs.push(performance.now() - startedAtMs + delayMs);
      await new Promise(resolve => setTimeout(resolve, delayMs));
      await client.close();
      const moved = await session(cluster, staying, client.name);
      await moved.join('general');
    };
    const moving = Promise.all(clients.map(move));
    const exit = leaving.process.kill('SIGTERM');
    await leaving.process.output.waitForLog({ event: 'draining' });
    expect(await metricValue(leaving, 'hubbub_edge_drain_remaining')).toBeGreaterThan(0);
    await moving;
    expect(await exit).toEqual({ code: 0, signal: null });
    const drained = await leaving.process.output.waitForLog({ event: 'drained' });
    // Only the edge's plan: how soon the clients leave and arrive depends on the machine, too.
    expect(drained).toMatchObject({ notified: CLIENTS });
    plannedMs.sort((a, b) => a - b);
    const [first = 0, last = 0] = [plannedMs[0], plannedMs[CLIENTS - 1]];
    expect(last - first, 'spread over some time').toBeGreaterThan(700);
    const busiest = Math.max(...plannedMs.map(from => plannedMs.filter(at => at >= from && at < from + 100).length));
    expect(busiest, 'no herd in a tenth of a second').toBeLessThan(CLIENTS / 3);
    // They reconnected within their grace: the room has seen no leave.
    await witness.noFrame('user_left');
    console.log(`${CLIENTS} clients were to move within ${Math.round(last)} ms; at most ${busiest} within 100 ms`);
  });

  test('clients that do not know reconnect are closed with 1012 after their delay', async () => {
    const cluster = await startCluster({ edges: 1, env: { HUBBUB_DRAIN_WINDOW_MS: '1000' } });
    const stubborn = await Promise.all(['a', 'b', 'c'].map(user => session(cluster, cluster.edge(0), user)));
    const exit = cluster.edge(0).process.kill('SIGTERM');
    for (const client of stubborn) {
      expect(await client.closed).toEqual({ code: 1012, reason: 'this edge is leaving' });
      await client.nextFrame('reconnect');
    }
    expect((await exit).code).toBe(0);
  });

  test('until the balancer notices, the edge is not ready but admits everybody; then it refuses', async () => {
    const cluster = await startCluster({
      edges: 1,
      env: { HUBBUB_DRAIN_DELAY_MS: '1500', HUBBUB_DRAIN_WINDOW_MS: '1000' },
    });
    const edge = cluster.edge(0);
    const exit = edge.process.kill('SIGTERM');
    await edge.process.output.waitForLog({ event: 'stopping' });
    await eventually(async () => (await fetch(`${edge.adminUrl}/readyz`)).status === 503);
    const late = await session(cluster, edge, 'late');
    await late.nextFrame('welcome');
    await late.join('general');
    await late.nextFrame('reconnect');
    await expect(connect(edge.wsUrl, { token: cluster.token({ user: 'too-late' }) })).rejects.toThrow('ECONNREFUSED');
    expect((await exit).code).toBe(0);
  });

  test('a connection from before the port was closed gets 502, which a proxy repeats at another edge', async () => {
    const cluster = await startCluster({ edges: 1, env: { HUBBUB_DRAIN_WINDOW_MS: '2000' } });
    const edge = cluster.edge(0);
    await session(cluster, edge, 'keeps the drain going');
    const early = createConnection(edge.process.port, '127.0.0.1');
    await new Promise(resolve => early.once('connect', resolve));
    const exit = edge.process.kill('SIGTERM');
    await edge.process.output.waitForLog({ event: 'draining' });
    early.write(
      `GET /ws?errors=close&token=${cluster.token({ user: 'u' })} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    );
    let answer = '';
    early.on('data', chunk => {
      answer += chunk;
    });
    early.on('error', () => {}); // A reset also ends it.
    await new Promise(resolve => early.once('close', resolve));
    expect(answer).toMatch(/^HTTP\/1.1 502 .*retry-after: 1\r\n.*"code":"UNAVAILABLE"/is);
    await exit;
  });

  test('a second one ends the process immediately', async () => {
    const cluster = await startCluster({ edges: 1, env: { HUBBUB_DRAIN_DELAY_MS: '10000' } });
    const { process } = cluster.edge(0);
    const exit = process.kill('SIGTERM');
    await process.output.waitForLog({ event: 'stopping' });
    process.child.kill('SIGTERM');
    // 143: it did not wait for the delay, after which it would end with 0.
    expect(await exit).toEqual({ code: 143, signal: null });
  });
});

test('Ctrl-C on a development machine without sessions is quick', async () => {
  const cluster = await startEmbedded();
  const startedAtMs = performance.now();
  expect(await cluster.edge(0).process.kill('SIGINT')).toEqual({ code: 0, signal: null });
  // Far below the delay and the window of a drain.
  expect(performance.now() - startedAtMs).toBeLessThan(10_000);
});
