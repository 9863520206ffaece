/** Who does not read is cut off, to come back and resume; the others in the room are not delayed by it. */
import { expect, test } from 'vitest';
import { startCluster, type TestEdge } from '../support/cluster.js';
import { metricValue } from '../support/metric-value.js';
import { connect } from '../support/raw-client.js';

const MESSAGE_BYTES = 32_768;
/** Far more than the kernel keeps for a connection that is not read: with 32 KiB each that is 64 MiB. */
const MESSAGES_MAX = 2000;
/** On a machine that does nothing else it is about 3 ms; one that waits for a slow reader is late by seconds. */
const P99_MAX_MS = 500;

const slowReaders = (edge: TestEdge) => metricValue(edge, 'hubbub_edge_slow_readers_total');

function percentile99(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? 0;
}

test('a slow reader is cut off and counted, and nobody else is delayed', async () => {
  const cluster = await startCluster({ edges: 2, env: { HUBBUB_MAX_BUFFERED_BYTES: '262144' } });
  const [here, there] = [cluster.edge(0), cluster.edge(1)];
  const person = (name: string, edge: TestEdge) => connect(edge.wsUrl, { name, token: cluster.token({ user: name }) });
  const slow = await person('slow', here);
  const beside = await person('beside', here);
  const faraway = await person('faraway', there);
  for (const member of [slow, beside, faraway]) await member.join('general');
  slow.pauseReading();

  const redis = cluster.redis.connection();
  const channel = `${cluster.redis.prefix}:room:{general}`;
  const filler = 'x'.repeat(MESSAGE_BYTES);
  const latencies: number[] = [];
  let sent = 0;
  while (sent < MESSAGES_MAX && (sent % 100 !== 0 || (await slowReaders(here)) === 0)) {
    sent++;
    const publishedAtMs = performance.now();
    await redis.publish(channel, JSON.stringify({ type: 'number', id: `n${sent}`, payload: { filler } }));
    await Promise.all([beside, faraway].map(member => member.nextFrame({ type: 'number', id: `n${sent}` })));
    latencies.push(performance.now() - publishedAtMs);
  }
  expect(await slowReaders(here)).toBe(1);
  expect(await slowReaders(there)).toBe(0);
  const p99 = percentile99(latencies);
  console.log(`cut off after at most ${sent} messages of 32 KiB; the others waited ${p99.toFixed(1)} ms (p99)`);
  expect(p99).toBeLessThan(P99_MAX_MS);

  // What it has got is in order and without a hole up to where it was cut.
  slow.resumeReading();
  expect((await slow.closed).code).toBe(1006);
  const got = slow.frames.filter(({ type }) => type === 'number').map(({ id }) => id);
  expect(got).toEqual(got.map((_, i) => `n${i + 1}`));
  expect(got.length).toBeLessThan(sent);

  // And it may come back.
  const back = await person('slow', there);
  await back.join('general');
  expect((await back.nextFrame('room_info')).payload).toMatchObject({ count: 3 });
}, 60_000);
