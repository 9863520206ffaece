/** A room's position in its history, whatever the order in which messages and acks arrive. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RoomPosition } from '../src/room-position.js';

it('continues without holes from message to message, and from ack to ack', () => {
  const position = new RoomPosition('e', 4);
  position.took(5);
  position.acked(6);
  position.took(7);
  expect(position.offset).toBe(7);
  expect(position.closeHole(0)).toBeUndefined();
});

it('waits below a hole that an ack may still fill', () => {
  const position = new RoomPosition('e', 4);
  position.acked(7); // It overtook the messages 5 and 6.
  expect(position.closeHole(0)).toBeUndefined();
  position.took(5);
  position.took(8); // 6 is ours, and its ack is pending.
  expect(position.closeHole(1)).toBeUndefined();
  expect(position.offset).toBe(5);
  position.acked(6);
  expect(position.offset).toBe(8);
});

it('reports a hole as lost when nothing can fill it any more, one hole at a time', () => {
  const position = new RoomPosition('e', 4);
  position.took(7);
  position.took(10);
  expect(position.closeHole(0)).toEqual({ since: 4, before: 7 });
  expect(position.closeHole(0)).toEqual({ since: 7, before: 10 });
  expect(position.closeHole(0)).toBeUndefined();
  expect(position.offset).toBe(10);
});

it('does not let an own message beyond the latest one fill a hole below it', () => {
  const position = new RoomPosition('e', 4);
  position.took(6);
  position.acked(7);
  expect(position.closeHole(0)).toEqual({ since: 4, before: 6 });
  expect(position.offset).toBe(7);
});

it('recognizes the first echo of a message that was acknowledged before, once', () => {
  const position = new RoomPosition('e', 4);
  position.acked(5);
  expect(position.knows(5)).toBe(true);
  expect(position.takeEcho(5)).toBe(true);
  expect(position.takeEcho(5)).toBe(false);
});

it('expects no second copy of a message whose ack came after it', () => {
  const position = new RoomPosition('e', 4);
  position.took(5);
  position.acked(5);
  expect(position.takeEcho(5)).toBe(false);
});

it('expects the echoes of the last 256 acks', () => {
  const position = new RoomPosition('e', 0);
  for (let offset = 1; offset <= 257; offset++) position.acked(offset);
  expect([1, 2, 257].map(offset => position.takeEcho(offset))).toEqual([false, true, true]);
});

it('knows every position and reports no loss, however acks and messages interleave', () => {
  const stories = fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 15 }).chain(own =>
    fc.record({
      own: fc.constant(own),
      // The number of other messages before each ack.
      ackAfter: fc.array(fc.nat(30), { minLength: own.length, maxLength: own.length }),
    }),
  );
  fc.assert(
    fc.property(stories, ({ own, ackAfter }) => {
      const position = new RoomPosition('e', 0);
      const others = Array.from({ length: 30 }, (_, index) => index + 1).filter(offset => !own.includes(offset));
      let waiting = own.map((offset, index) => ({ offset, at: ackAfter[index] ?? 0 }));
      for (const [index, offset] of others.entries()) {
        for (const ack of waiting.filter(({ at }) => at <= index)) position.acked(ack.offset);
        waiting = waiting.filter(({ at }) => at > index);
        expect(position.knows(offset)).toBe(false);
        position.took(offset);
        expect(position.closeHole(waiting.length)).toBeUndefined();
      }
      for (const { offset } of waiting) position.acked(offset);
      expect(position.offset).toBe(30);
    }),
  );
});
