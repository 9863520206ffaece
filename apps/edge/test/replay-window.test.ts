/** The contents of a replay window, its encodings, and the memory that it frees. */
import { type Encoding, type Frame, jsonCodec } from '@hubbub/protocol';
import { msgpackCodec } from '@hubbub/protocol/msgpack';
import { expect, test } from 'vitest';
import { ReplayMemory } from '../src/history/replay-memory.js';
import { ReplayWindow } from '../src/history/replay-window.js';

const user = { id: 'ada', name: 'Ada' };
const session = (encoding: Encoding) => ({ id: 's1', user, encoding });
const frame = (n: number): Frame => ({ type: 'new_message', payload: { n } });

function message(offset: number, encoding: Encoding = 'json') {
  const body = (encoding === 'json' ? jsonCodec : msgpackCodec).encode(frame(offset));
  return { epoch: 'e', offset, encoding, body };
}

function open({ from = 0, maxMessages = 100 } = {}) {
  const memory = new ReplayMemory(1_000_000);
  const window = new ReplayWindow('chat:1', from, { maxMessages, maxBytes: 100_000, memory });
  return { memory, window };
}

test('replays each message in the encoding of the session', () => {
  const { window } = open();
  window.push(message(1, 'json'));
  window.push(message(2, 'msgpack'));
  for (const [encoding, codec] of [['json', jsonCodec] as const, ['msgpack', msgpackCodec] as const]) {
    const { frames } = window.since(0, session(encoding));
    expect(frames.map(bytes => codec.decode(bytes))).toEqual(
      [1, 2].map(n => ({ ...frame(n), room: 'chat:1', epoch: 'e', offset: n })),
    );
  }
});

test('prepends older messages, without duplicates and not beyond a hole', () => {
  const { window } = open({ from: 4 });
  window.push(message(5));
  window.prepend([1, 3, 4, 5].map(offset => message(offset)));
  expect(window.from).toBe(2);
  const { frames } = window.since(2, session('json'));
  expect(frames.map(bytes => (jsonCodec.decode(bytes) as Frame).offset)).toEqual([3, 4, 5]);
});

test('copies a live message, because its bytes are reused', () => {
  const { window } = open();
  const live = message(1);
  window.push(live);
  live.body.fill(0);
  const [bytes] = window.since(0, session('json')).frames;
  expect(jsonCodec.decode(bytes ?? new Uint8Array())).toMatchObject(frame(1));
});

test('counts the bytes of a replay with the headers of its frames', () => {
  const { window } = open();
  for (const offset of [1, 2]) window.push(message(offset));
  const { frames, bytes } = window.since(0, session('json'));
  expect(bytes).toBe(frames.reduce((sum, { length }) => sum + length + 10, 0));
});

test('frees all the memory that it held, whatever passed through it', () => {
  const { memory, window } = open({ from: 3, maxMessages: 4 });
  window.prepend([1, 2, 3].map(offset => message(offset)));
  for (let offset = 4; offset <= 10; offset++) {
    window.push(message(offset));
    for (const encoding of ['json', 'msgpack'] as const) window.since(window.from, session(encoding));
  }
  expect(memory.bytes).toBeGreaterThan(0);
  window.drop();
  window.drop();
  expect(memory.bytes).toBe(0);
});

test('holds as much after many messages as after a few', () => {
  const { memory, window } = open({ maxMessages: 4 });
  const held: number[] = [];
  for (let offset = 11; offset <= 40; offset++) {
    window.push(message(offset));
    window.since(window.from, session('json'));
    held.push(memory.bytes);
  }
  expect(new Set(held.slice(4)).size).toBe(1);
});

test('takes nothing after it was dropped', () => {
  const { memory, window } = open({ from: 1 });
  window.drop();
  window.prepend([message(1)]);
  window.push(message(2));
  window.touch();
  expect([memory.bytes, window.from]).toEqual([0, 1]);
  const other = new ReplayWindow('chat:2', 0, { maxMessages: 9, maxBytes: 2_000_000, memory });
  other.push({ ...message(1), body: new Uint8Array(2_000_000) });
  expect(other.dropped).toBe(false);
});

test('a room may take a quarter of the memory', () => {
  expect(new ReplayMemory(1_000).maxBytesPerRoom).toBe(250);
});
