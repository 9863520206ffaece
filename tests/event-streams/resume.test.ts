/** Exact resume: Last-Event-ID names the position in each room, and what follows comes once, at whichever edge. */
import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { numbersOf, say, startStory } from './story.js';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, at) => at + 1);

test('a reader that returns at another edge gets what it missed, once', async () => {
  const { cluster, speaker, reader } = await startStory({ edges: 2 });
  const ada = await speaker('ada');
  await ada.join('kept:a');
  const first = await reader('/rooms/kept:a/events');
  await first.nextFrame('room_opened');
  for (const n of upTo(5)) await say(ada, 'kept:a', n);
  await first.nextFrame({ type: 'new_message', payload: { n: 5 } });
  await first.close();
  for (const n of [6, 7, 8]) await say(ada, 'kept:a', n);
  const second = await reader('/rooms/kept:a/events', { edge: cluster.edge(1), lastEventId: first.lastEventId });
  await second.nextFrame({ type: 'room_opened', payload: { recovered: true } });
  await say(ada, 'kept:a', 9);
  await second.nextFrame({ type: 'new_message', payload: { n: 9 } });
  expect(numbersOf(second)).toEqual([6, 7, 8, 9]);
});

test('a reader that has got nothing yet has a position nevertheless', async () => {
  const { speaker, reader } = await startStory();
  const ada = await speaker('ada');
  await ada.join('kept:a');
  await say(ada, 'kept:a', 1);
  const first = await reader('/rooms/kept:a/events');
  await first.nextFrame('room_opened');
  await first.close();
  await say(ada, 'kept:a', 2);
  const second = await reader(`/rooms/kept:a/events?last_event_id=${first.lastEventId}`);
  await second.nextFrame({ type: 'new_message', payload: { n: 2 } });
  expect(numbersOf(second)).toEqual([2]);
});

test('the header is newer than the query', async () => {
  const { speaker, reader } = await startStory();
  const ada = await speaker('ada');
  await ada.join('kept:a');
  const first = await reader('/rooms/kept:a/events');
  const { payload } = await first.nextFrame('room_opened');
  for (const n of upTo(3)) await say(ada, 'kept:a', n);
  const id = (offset: number) => `${payload?.epoch}:${offset}`;
  const second = await reader(`/rooms/kept:a/events?last_event_id=${id(0)}`, { lastEventId: id(2) });
  await second.nextFrame({ type: 'new_message', payload: { n: 3 } });
  expect(numbersOf(second)).toEqual([3]);
});

test('a reader of several rooms resumes each from its own position; a room without history has none', async () => {
  const { speaker, reader } = await startStory({ edges: 1 });
  const ada = await speaker('ada');
  const path = '/events?room=kept:a&room=plain&room=kept:b';
  for (const room of ['kept:a', 'plain', 'kept:b']) await ada.join(room);
  const first = await reader(path);
  for (const room of ['kept:a', 'plain', 'kept:b']) await first.nextFrame({ type: 'room_opened', room });
  for (const n of [1, 2]) await say(ada, 'kept:a', n);
  await say(ada, 'plain', 1);
  await say(ada, 'kept:b', 1);
  await first.nextFrame({ type: 'new_message', room: 'kept:b' });
  expect(first.lastEventId).toMatch(/^[^:,]+:2,,[^:,]+:1$/);
  await first.close();
  await say(ada, 'kept:b', 2);
  await say(ada, 'kept:a', 3);
  await say(ada, 'plain', 2);
  const second = await reader(path, { lastEventId: first.lastEventId });
  await second.nextFrame({ type: 'new_message', room: 'kept:a', payload: { n: 3 } });
  await second.nextFrame({ type: 'new_message', room: 'kept:b', payload: { n: 2 } });
  await say(ada, 'kept:a', 4);
  await second.nextFrame({ type: 'new_message', room: 'kept:a', payload: { n: 4 } });
  expect([numbersOf(second, 'kept:a'), numbersOf(second, 'kept:b'), numbersOf(second, 'plain')]).toEqual([
    [3, 4],
    [2],
    [],
  ]);
  expect(second.lastEventId).toMatch(/^[^:,]+:4,,[^:,]+:2$/);
});

test('a position that the history does not reach gets recovered: false, and what is left', async () => {
  const { speaker, reader } = await startStory({ env: { HUBBUB_MAX_FRAMES_PER_SECOND: '0' } });
  const ada = await speaker('ada');
  await ada.join('kept:a');
  await say(ada, 'kept:a', 1);
  const first = await reader('/rooms/kept:a/events');
  const { payload } = await first.nextFrame('room_opened');
  await first.close();
  const foreign = await reader('/rooms/kept:a/events', { lastEventId: 'another-epoch:1' });
  await foreign.nextFrame({ type: 'room_opened', payload: { recovered: false, reason: 'new_epoch', offset: 1 } });
  expect(foreign.lastEventId).toBe(`${payload?.epoch}:1`);
  for (let n = 2; n <= 1010; n++) ada.send({ type: 'send_message', room: 'kept:a', payload: { n } });
  await ada.nextFrame({ type: 'ack', offset: 1010 });
  const late = await reader('/rooms/kept:a/events', { lastEventId: first.lastEventId });
  await late.nextFrame({ type: 'room_opened', payload: { recovered: false, reason: 'too_many' } });
  expect(late.lastEventId).toBe(`${payload?.epoch}:1010`);
});

test('a gap during the stream is an event, and moves the id', async () => {
  const { cluster, speaker, reader } = await startStory({ env: { HUBBUB_HISTORY_CHECK_INTERVAL_MS: '300' } });
  const ada = await speaker('ada');
  await ada.join('kept:a');
  const events = await reader('/rooms/kept:a/events');
  await events.nextFrame('room_opened');
  await say(ada, 'kept:a', 1);
  await events.nextFrame({ type: 'new_message' });
  const before = events.lastEventId;
  const redis = cluster.redis.connection();
  const keys = await redis.keys(`${cluster.redis.prefix}:history:*`);
  await redis.del(...keys);
  const gap = await events.nextFrame({ type: 'room_gap', room: 'kept:a', payload: { reason: 'new_epoch' } });
  expect(events.lastEventId).toBe(`${gap.payload?.epoch}:0`);
  expect(events.lastEventId).not.toBe(before);
  await say(ada, 'kept:a', 2);
  await eventually(() => numbersOf(events).at(-1) === 2);
});
