/**
 * Faults of the network, of Redis and of edges under a steady stream of numbered messages. Every member of a room with
 * history gets every message exactly once and in order, or a gap is reported (invariants 1 and 2).
 */

import { eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { startRedis } from '../support/redis.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { historyEnvironment, NumberedStream } from './numbered-stream.js';

const KEPT = ['kept:a', 'kept:b', 'kept:c'];
const PLAIN = 'plain:a';

interface Scene {
  readonly cluster: TestCluster;
  /** The network between the members and each edge. */
  readonly networks: readonly TcpProxy[];
  readonly stream: NumberedStream;
}

/** Three edges, each with two members behind a separate network, and a publisher at the first edge. */
async function scene(rooms: readonly string[] = [...KEPT, PLAIN], env: Record<string, string> = {}): Promise<Scene> {
  const redis = await startRedis({ own: true });
  const cluster = await startCluster({ edges: 3, redis, env: { ...historyEnvironment(), ...env } });
  const networks = await Promise.all(cluster.edges.map(({ process }) => startTcpProxy({ to: process.port })));
  const members = networks.flatMap(({ port }, edge) =>
    [1, 2].map(number => ({ name: `member-${edge + 1}-${number}`, url: `ws://127.0.0.1:${port}/ws` })),
  );
  const stream = await NumberedStream.start(cluster, { rooms, members, publisherUrl: cluster.edge(0).wsUrl });
  return { cluster, networks, stream };
}

/** Checks after every fault: messages flow, and all of them arrived exactly once and in order. */
async function expectRecovery(stream: NumberedStream): Promise<void> {
  await stream.flows(20);
  await stream.end();
  expect(stream.violations()).toEqual([]);
}

/** The control: the same fault loses messages in rooms without history, so it really happened. */
function expectRealFault(stream: NumberedStream): void {
  expect(stream.lost(PLAIN), 'messages lost in the room without history').toBeGreaterThan(0);
}

function keptGaps(stream: NumberedStream): string[] {
  return KEPT.flatMap(room => stream.gaps(room));
}

describe('every member has every message once and in order, or a gap is reported (invariants 1 and 2)', {
  timeout: 120_000,
}, () => {
  test('Redis is restarted and keeps its data', async () => {
    const { cluster, stream } = await scene();
    await cluster.redis.restart({ keepData: true });
    await expectRecovery(stream);
    expect(keptGaps(stream)).toEqual([]);
    expect(stream.gaps(PLAIN).length).toBeGreaterThan(0);
  });

  test('Redis is restarted and has lost everything: the new epoch is reported', async () => {
    const { cluster, stream } = await scene();
    await cluster.redis.restart();
    await expectRecovery(stream);
    for (const room of KEPT) expect(stream.gaps(room).length).toBeGreaterThanOrEqual(stream.members.length);
  });

  test('the subscriptions are killed repeatedly', async () => {
    const { cluster, stream } = await scene();
    for (let time = 0; time < 5; time++) {
      await cluster.redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await stream.flows(5);
    }
    await expectRecovery(stream);
    expectRealFault(stream);
    expect(keptGaps(stream)).toEqual([]);
  });

  test("a subscriber's output buffer overruns while its edge is stopped", async () => {
    const { cluster, stream } = await scene();
    await cluster.redis.cli('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 65536 65536 1');
    cluster.edge(2).process.pause();
    const channel = `${cluster.redis.prefix}:room:{${PLAIN}}`;
    const filler = JSON.stringify({ type: 'filler', payload: { text: 'x'.repeat(30_000) } });
    const clients = async () => (await cluster.redis.cli('CLIENT', 'LIST', 'TYPE', 'pubsub')).split('\n').length;
    const before = await clients();
    await eventually(
      async () => {
        for (let i = 0; i < 20; i++) await cluster.redis.cli('PUBLISH', channel, filler);
        return (await clients()) < before;
      },
      { withinMs: 60_000, describe: 'Redis cuts the subscriber off' },
    );
    cluster.edge(2).process.resume();
    await expectRecovery(stream);
    expect(keptGaps(stream)).toEqual([]);
  });

  test('Redis is frozen for 10 s', async () => {
    const { cluster, stream } = await scene();
    await cluster.redis.pause();
    await new Promise(resolve => setTimeout(resolve, 10_000)); // The fault itself is a duration.
    await cluster.redis.resume();
    await expectRecovery(stream);
    expect(keptGaps(stream)).toEqual([]);
  });

  test('an edge is killed with -9, and its members reconnect elsewhere', async () => {
    const { cluster, networks, stream } = await scene();
    networks[2]?.retarget(cluster.edge(1).process.port);
    await cluster.edge(2).process.kill('SIGKILL');
    await expectRecovery(stream);
    expectRealFault(stream);
    expect(keptGaps(stream)).toEqual([]);
  });

  test('an edge is drained, and its members move to another', async () => {
    const { cluster, networks, stream } = await scene(undefined, { HUBBUB_DRAIN_WINDOW_MS: '2000' });
    networks[2]?.retarget(cluster.edge(1).process.port);
    expect(await cluster.edge(2).process.kill('SIGTERM')).toMatchObject({ code: 0 });
    await expectRecovery(stream);
    expect(keptGaps(stream)).toEqual([]);
  });

  test("two members' network is silently gone for 20 s", async () => {
    const { networks, stream } = await scene();
    networks[1]?.behave({ blackHole: true });
    await new Promise(resolve => setTimeout(resolve, 20_000)); // The fault itself is a duration.
    networks[1]?.cut();
    networks[1]?.behave({});
    await expectRecovery(stream);
    expectRealFault(stream);
    expect(keptGaps(stream)).toEqual([]);
  });

  test('two members read at 1 kB/s: the others are not delayed, and the slow ones are complete once the network recovers', async () => {
    const { networks, stream } = await scene();
    const isSlow = (name: string) => name.startsWith('member-2-');
    const others = (name: string) => !isSlow(name);
    stream.startMeasuring();
    await stream.flows(100);
    const beforeMs = stream.latencyMs(0.99, others);
    networks[1]?.behave({ bytesPerSecond: 1000 });
    stream.startMeasuring();
    await stream.flows(300);
    const duringMs = stream.latencyMs(0.99, others);
    networks[1]?.behave({});
    await expectRecovery(stream);
    console.log(`p99 of the others: ${beforeMs.toFixed(1)} ms before, ${duringMs.toFixed(1)} ms beside slow readers`);
    expect(stream.latencyMs(0.99, isSlow), 'the slow ones were slow').toBeGreaterThan(1000);
    // If a slow reader delayed others, their delay would equal its own, on any machine.
    expect(duringMs).toBeLessThan(stream.latencyMs(0.99, isSlow) / 2);
    expect(keptGaps(stream)).toEqual([]);
  });
});
