/** An edge disconnects a slow reader, which may reconnect and resume; the other members of the room are not delayed. */

import { metricValue } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { startCluster, type TestEdge } from '../support/cluster.js';
import { connect } from '../support/raw-client.js';

const MESSAGE_BYTES = 32_768;
/** Far more than the kernel buffers for an unread connection: 64 MiB at 32 KiB each. */
const MESSAGES_MAX = 2000;
/** About 3 ms on an idle machine. If the others waited for a slow reader, each message would be late by seconds. */
const MEDIAN_MAX_MS = 500;
/** Enough for a median that no single pause of the machine shifts. */
const SAMPLES_MIN = 50;

const slowReaders = (edge: TestEdge) => metricValue(edge, 'hubbub_edge_slow_readers_total');

function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

test('an edge disconnects and counts a slow reader, and delays no other member', async () => {
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
  const median = medianOf(latencies);
  console.log(`cut off after at most ${sent} messages of 32 KiB; the others waited ${median.toFixed(1)} ms (median)`);
  expect(latencies.length).toBeGreaterThanOrEqual(SAMPLES_MIN);
  expect(median).toBeLessThan(MEDIAN_MAX_MS);

  // It received messages in order and without a hole up to the disconnect.
  slow.resumeReading();
  expect((await slow.closed).code).toBe(1006);
  const got = slow.frames.filter(({ type }) => type === 'number').map(({ id }) => id);
  expect(got).toEqual(got.map((_, i) => `n${i + 1}`));
  expect(got.length).toBeLessThan(sent);

  // It may reconnect.
  const back = await person('slow', there);
  await back.join('general');
  expect((await back.nextFrame('room_info')).payload).toMatchObject({ count: 3 });
});
