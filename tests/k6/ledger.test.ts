/** Numbered messages: what counts as lost, late and repeated. If this were wrong, every load scenario would pass. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Ledger } from '../../k6/lib/ledger.js';

test('numbers in their order are all new', () => {
  const ledger = new Ledger();
  expect([1, 2, 3].map(number => ledger.read(number, 0))).toEqual(['next', 'next', 'next']);
  expect(ledger.missing).toBe(0);
});

test('what was passed over is missing, and lost when it is given up', () => {
  const ledger = new Ledger();
  ledger.read(1, 0);
  ledger.read(4, 1000);
  expect(ledger.missing).toBe(2);
  expect(ledger.giveUp(999)).toBe(0);
  expect(ledger.giveUp(1000)).toBe(2);
  expect(ledger.giveUp(1000)).toBe(0);
});

test('the very first number may not be passed over by somebody who was there from the start', () => {
  const ledger = new Ledger();
  ledger.read(2, 0);
  expect(ledger.missing).toBe(1);
});

test('somebody who came later begins with the first number that comes', () => {
  const ledger = new Ledger(41);
  expect(ledger.read(42, 0)).toBe('next');
  expect(ledger.missing).toBe(0);
});

test('whatever arrives in whatever order: every number is told once as new or late, every further time as repeated', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 100 }), numbers => {
      const ledger = new Ledger();
      const seen = new Set<number>();
      for (const number of numbers) {
        expect(ledger.read(number, 0) === 'repeated').toBe(seen.has(number));
        seen.add(number);
      }
      expect(ledger.missing).toBe(Math.max(...numbers) - seen.size);
    }),
  );
});
