/** Slow readers of event streams: the policy of WebSockets, with the same bounds and metrics. */
import { eventually, metricValue } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { startStory } from './story.js';

const MESSAGE_BYTES = 32_768;
/** Far more than the kernel buffers for an unread connection: 64 MiB at 32 KiB each. */
const MESSAGES_MAX = 2000;
/** More than the kernels buffer for an unread connection. */
const FLOOD_BYTES = 24 * 1_048_576;

test('an edge cuts off and counts a slow reader, delays no other, and loses no byte before', async () => {
  const { cluster, reader } = await startStory({ env: { HUBBUB_MAX_BUFFERED_BYTES: '262144' } });
  const [slow, beside] = [
    await reader('/rooms/general/events', { user: 'slow' }),
    await reader('/rooms/general/events', { user: 'beside' }),
  ];
  for (const reading of [slow, beside]) await reading.nextFrame('room_opened');
  slow.pauseReading();
  const edge = cluster.edge(0);
  const slowReaders = () => metricValue(edge, 'hubbub_edge_slow_readers_total');
  const redis = cluster.redis.connection();
  const filler = 'x'.repeat(MESSAGE_BYTES);
  let sent = 0;
  while (sent < MESSAGES_MAX && (sent % 100 !== 0 || (await slowReaders()) === 0)) {
    sent++;
    await redis.publish(
      `${cluster.redis.prefix}:room:{general}`,
      JSON.stringify({ type: 'number', id: `n${sent}`, payload: { filler } }),
    );
    await beside.nextFrame({ type: 'number', id: `n${sent}` });
  }
  expect(await slowReaders()).toBe(1);
  slow.resumeReading();
  await slow.ended;
  const got = slow.events.filter(({ data }) => data.type === 'number').map(({ data }) => data.id);
  expect(got).toEqual(got.map((_, at) => `n${at + 1}`));
  expect(got.length).toBeGreaterThan(0);
  expect(got.length).toBeLessThan(sent);
  await eventually(async () => (await metricValue(edge, 'hubbub_edge_event_streams')) === 1);
});

test('a reader that pauses and continues gets everything', async () => {
  const { cluster, reader } = await startStory({
    env: { HUBBUB_MAX_BUFFERED_BYTES: String(2 * FLOOD_BYTES), HUBBUB_UNREAD_TIMEOUT_MS: '16000' },
  });
  const slow = await reader('/rooms/general/events');
  await slow.nextFrame('room_opened');
  slow.pauseReading();
  const redis = cluster.redis.connection();
  const count = FLOOD_BYTES / MESSAGE_BYTES;
  const publish = (n: number) =>
    redis.publish(
      `${cluster.redis.prefix}:room:{general}`,
      JSON.stringify({ type: 'number', id: `n${n}`, payload: { filler: 'x'.repeat(MESSAGE_BYTES) } }),
    );
  for (let n = 1; n <= count; n++) await publish(n);
  await eventually(async () => (await metricValue(cluster.edge(0), 'hubbub_edge_buffered_bytes')) > 0, {
    withinMs: 20_000,
  });
  slow.resumeReading();
  await slow.nextFrame({ type: 'number', id: `n${count}` }, { withinMs: 20_000 });
  await publish(count + 1);
  await slow.nextFrame({ type: 'number', id: `n${count + 1}` });
  const got = slow.events.filter(({ data }) => data.type === 'number').map(({ data }) => data.id);
  expect(got).toEqual(Array.from({ length: count + 1 }, (_, at) => `n${at + 1}`));
  await eventually(async () => (await metricValue(cluster.edge(0), 'hubbub_edge_buffered_bytes')) === 0, {
    withinMs: 20_000,
  });
});

test('a reader that never reads is cut off after a timeout', async () => {
  const { cluster, reader } = await startStory({
    env: { HUBBUB_UNREAD_TIMEOUT_MS: '4000', HUBBUB_MAX_BUFFERED_BYTES: String(2 * FLOOD_BYTES) },
  });
  const deaf = await reader('/rooms/general/events');
  await deaf.nextFrame('room_opened');
  deaf.pauseReading();
  const redis = cluster.redis.connection();
  const message = JSON.stringify({ type: 'filler', payload: { text: 'x'.repeat(MESSAGE_BYTES) } });
  for (let sent = 0; sent < FLOOD_BYTES; sent += MESSAGE_BYTES) {
    await redis.publish(`${cluster.redis.prefix}:room:{general}`, message);
  }
  const edge = cluster.edge(0);
  await eventually(async () => (await metricValue(edge, 'hubbub_edge_limits_total{limit="unread_time"}')) === 1, {
    withinMs: 20_000,
  });
  await eventually(async () => (await metricValue(edge, 'hubbub_edge_event_streams')) === 0);
  deaf.resumeReading();
  await deaf.ended;
});
