/** Each step of a room's position: what is delivered, what waits, and when another read is needed. */
import type { Position } from '@hubbub/protocol';
import { describe, expect, test } from 'vitest';
import { RoomPosition } from '../src/history/room-position.js';

const at = (offset: number, epoch = 'e'): Position => ({ epoch, offset });
const reading = (offset: number, messages: readonly Position[] = [], epoch = 'e') => ({
  ...at(offset, epoch),
  through: offset,
  messages,
  bridges: [],
});

/** A room that was read up to an offset. */
function startAt(offset: number, waitingMax = 4): RoomPosition<Position> {
  const position = new RoomPosition<Position>(waitingMax);
  position.beginRead();
  expect(position.learn(reading(offset))).toEqual([]);
  return position;
}

test('before the first read everything waits, and what the read contains is not delivered again', () => {
  const position = new RoomPosition<Position>(4);
  position.beginRead();
  for (const offset of [1, 2, 3]) expect(position.take(at(offset))).toBe('wait');
  expect(position.position).toBeUndefined();
  expect(position.learn(reading(2))).toEqual([{ message: at(3) }]);
  expect([position.position, position.following]).toEqual([at(3), true]);
});

test('after one read the position follows, until a message is missing', () => {
  const position = startAt(5);
  expect(position.following).toBe(true);
  expect([5, 4, 6, 6, 8].map(offset => position.take(at(offset)))).toEqual([
    'known',
    'known',
    'deliver',
    'known',
    'wait',
  ]);
  expect([position.position, position.following]).toEqual([at(6), false]);
});

test('while it is behind nothing is delivered, not even the next message', () => {
  const position = startAt(5);
  position.doubt();
  expect([position.take(at(6)), position.take(at(5))]).toEqual(['wait', 'known']);
  expect(position.position).toEqual(at(5));
});

test('read and waiting messages are delivered once and in order', () => {
  const position = startAt(5);
  for (const offset of [7, 8]) position.take(at(offset));
  position.beginRead();
  for (const offset of [9, 10]) position.take(at(offset));
  const steps = position.learn(
    reading(
      8,
      [5, 6, 7, 8].map(offset => at(offset)),
    ),
  );
  expect(steps).toEqual([6, 7, 8, 9, 10].map(offset => ({ message: at(offset) })));
  expect([position.position, position.following]).toEqual([at(10), true]);
});

test('a hole in the waiting messages needs another read, and the messages after it keep waiting', () => {
  const position = startAt(5);
  position.doubt();
  position.beginRead();
  for (const offset of [6, 8]) position.take(at(offset));
  expect(position.learn(reading(5))).toEqual([{ message: at(6) }]);
  expect(position.following).toBe(false);
  position.beginRead();
  expect(position.learn(reading(8, [at(7), at(8)]))).toEqual([{ message: at(7) }, { message: at(8) }]);
  expect(position.following).toBe(true);
});

test('messages dropped at the exact bound of waiting messages are read again', () => {
  const dropped = (waiting: number): boolean => {
    const position = startAt(5);
    position.doubt();
    position.beginRead();
    for (let offset = 6; offset < 6 + waiting; offset++) position.take(at(offset));
    position.learn(reading(5));
    return !position.following;
  };
  expect([4, 5].map(dropped)).toEqual([false, true]);
});

test('a doubt during a read needs another one', () => {
  const position = startAt(5);
  position.doubt();
  position.beginRead();
  position.doubt();
  position.learn(reading(5));
  expect(position.following).toBe(false);
  position.beginRead();
  position.learn(reading(5));
  expect(position.following).toBe(true);
});

describe('a new epoch', () => {
  test('without messages is followed immediately', () => {
    const position = startAt(5);
    position.doubt();
    position.beginRead();
    expect(position.learn(reading(0, [], 'f'))).toEqual([{ gap: { reason: 'new_epoch', position: at(0, 'f') } }]);
    expect(position.following).toBe(true);
    expect(position.take(at(1, 'f'))).toBe('deliver');
  });

  test('with live first messages is followed after a read up to them', () => {
    const position = startAt(5);
    expect([1, 2].map(offset => position.take(at(offset, 'f')))).toEqual(['wait', 'wait']);
    position.beginRead();
    expect(position.learn(reading(2, [], 'f'))).toEqual([{ gap: { reason: 'new_epoch', position: at(0, 'f') } }]);
    expect(position.following).toBe(false);
    position.beginRead();
    expect(position.learn(reading(2, [at(1, 'f'), at(2, 'f')], 'f'))).toEqual(
      [1, 2].map(offset => ({ message: at(offset, 'f') })),
    );
    expect(position.following).toBe(true);
  });
});
