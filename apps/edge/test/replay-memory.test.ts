/** The replay windows of an edge share a bounded memory, and every room can still be replayed. */
import { jsonCodec } from '@hubbub/protocol';
import { expect, test } from 'vitest';
import { ReplayMemory } from '../src/history/replay-memory.js';
import { ReplayWindow } from '../src/history/replay-window.js';

const SESSION = { id: 's1', user: { id: 'ada', name: 'Ada' }, encoding: 'json' } as const;
const BODY = jsonCodec.encode({ type: 'new_message', payload: { text: 'x'.repeat(1000) } });

function message(offset: number) {
  return { epoch: 'e', offset, encoding: 'json' as const, body: BODY };
}

function open(memory: ReplayMemory, { maxMessages = 100, maxBytes = 100_000, from = 0 } = {}): ReplayWindow {
  return new ReplayWindow('chat:1', from, { maxMessages, maxBytes, memory });
}

test('a window keeps exactly as many messages as it may, and moves on with the next', () => {
  const window = open(new ReplayMemory(1_000_000), { maxMessages: 3 });
  for (const offset of [1, 2, 3]) window.push(message(offset));
  expect([window.from, window.since(0, SESSION).frames.length]).toEqual([0, 3]);
  window.push(message(4));
  expect([window.from, window.since(1, SESSION).frames.length]).toEqual([1, 3]);
});

test('a window keeps exactly as many bytes as it may', () => {
  const window = open(new ReplayMemory(1_000_000), { maxBytes: 3 * BODY.length });
  for (const offset of [1, 2, 3]) window.push(message(offset));
  expect([window.from, window.freeBytes]).toEqual([0, 0]);
  window.push(message(4));
  expect([window.from, window.freeBytes]).toEqual([1, 0]);
});

test('the least recently used window is dropped when the total exceeds the limit', () => {
  let drops = 0;
  const memory = new ReplayMemory(10 * BODY.length, () => drops++);
  const [first, second, third] = [open(memory), open(memory), open(memory)];
  for (const window of [first, second]) window.prepend([]);
  for (const window of [first, second]) for (let n = 1; n <= 3; n++) window.push(message(n));
  third.touch();
  first.touch();
  for (let n = 1; n <= 4; n++) third.push(message(n));
  expect([first.dropped, second.dropped, third.dropped, drops]).toEqual([false, true, false, 1]);
  expect(memory.bytes).toBeLessThanOrEqual(10 * BODY.length);
});

test('frames count, and dropped messages free their memory', () => {
  const memory = new ReplayMemory(1_000_000);
  const window = open(memory);
  window.push(message(1));
  const withoutFrames = memory.bytes;
  window.since(0, SESSION);
  window.since(0, SESSION);
  expect(memory.bytes - withoutFrames).toBeGreaterThan(BODY.length);
  expect(memory.bytes - withoutFrames).toBeLessThan(2 * BODY.length);
  window.drop();
  window.push(message(2));
  expect(memory.bytes).toBe(0);
});

test('the only window is never dropped, however small the memory', () => {
  const window = open(new ReplayMemory(10));
  window.push(message(1));
  expect([window.dropped, window.since(0, SESSION).frames.length]).toEqual([false, 1]);
});
