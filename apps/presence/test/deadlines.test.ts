/** The heap of deadlines: one per subject, earliest first. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Deadline, Deadlines } from '../src/partition/deadlines.js';

const user = (name: string, atMs: number): Deadline => ({ kind: 'user', user: name, atMs });

test('returns deadlines in order, each subject once, after any sequence of set, reset and clear', () => {
  const step = fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'), atMs: fc.option(fc.nat(50)) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), steps => {
      const deadlines = new Deadlines();
      const model = new Map<string, number>();
      for (const { name, atMs } of steps) {
        if (atMs === null) {
          deadlines.clear({ kind: 'user', user: name });
          model.delete(name);
        } else {
          deadlines.set(user(name, atMs));
          model.set(name, atMs);
        }
        expect(deadlines.nextMs).toBe(Math.min(Number.POSITIVE_INFINITY, ...model.values()));
        expect(deadlines.size).toBe(model.size);
      }
      const taken: Deadline[] = [];
      for (let due = deadlines.takeDue(25); due !== undefined; due = deadlines.takeDue(25)) taken.push(due);
      const times = taken.map(({ atMs }) => atMs);
      expect(times).toEqual([...times].sort((one, other) => one - other));
      const expected = [...model].filter(([, atMs]) => atMs <= 25).map(([name, atMs]) => user(name, atMs));
      expect(new Set(taken.map(due => JSON.stringify(due)))).toEqual(new Set(expected.map(due => JSON.stringify(due))));
      expect(taken).toHaveLength(expected.length);
    }),
    { numRuns: 500, seed: 20_261_129 },
  );
});

test('subjects of different kinds do not share a deadline', () => {
  const deadlines = new Deadlines();
  deadlines.set({ kind: 'user', user: 'r', atMs: 1 });
  deadlines.set({ kind: 'count', room: 'r', atMs: 2 });
  deadlines.set({ kind: 'incarnation', incarnation: 'r', atMs: 3 });
  deadlines.set({ kind: 'member', room: 'r', user: 'r', atMs: 4 });
  deadlines.set({ kind: 'member', room: 'r', user: 'r r', atMs: 5 });
  expect(deadlines.size).toBe(5);
});
