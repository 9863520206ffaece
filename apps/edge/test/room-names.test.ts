/** The rooms of a session are a set of names, whether they are few or many. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RoomNames } from '../src/sessions/room-names.js';

const action = fc.record({ does: fc.constantFrom('add', 'delete'), name: fc.integer({ min: 0, max: 20 }).map(String) });

test('holds the same names as a Set, in the same order, whether few or many', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 80 }), actions => {
      const names = new RoomNames();
      const set = new Set<string>();
      for (const { does, name } of actions) {
        if (does === 'add') set.add(name);
        else set.delete(name);
        if (does === 'add') names.add(name);
        else names.delete(name);
        expect([...names]).toEqual([...set]);
        expect(names.size).toBe(set.size);
        expect(names.has(name)).toBe(set.has(name));
      }
    }),
  );
});

test('a session that left all rooms has no rooms, and other sessions keep theirs', () => {
  const [one, other] = [new RoomNames(), new RoomNames()];
  for (const names of [one, other]) names.add('lobby');
  one.clear();
  expect([one.size, [...other]]).toEqual([0, ['lobby']]);
});
