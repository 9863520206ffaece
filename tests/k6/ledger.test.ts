/** Numbered messages, counted as lost, late and repeated. With a wrong count, every load scenario would pass. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Ledger } from '../../k6/lib/ledger.js';

test('numbers in order are all new', () => {
  const ledger = new Ledger();
  expect([1, 2, 3].map(number => ledger.read(number, 0))).toEqual(['next', 'next', 'next']);
  expect(ledger.missing).toBe(0);
});

test('skipped numbers are missing, and lost when they are given up', () => {
  const ledger = new Ledger();
  ledger.read(1, 0);
  ledger.read(4, 1000);
  expect(ledger.missing).toBe(2);
  expect(ledger.giveUp(999)).toBe(0);
  expect(ledger.giveUp(1000)).toBe(2);
  expect(ledger.giveUp(1000)).toBe(0);
});

test('a member from the start may not skip the first number', () => {
  const ledger = new Ledger();
  ledger.read(2, 0);
  expect(ledger.missing).toBe(1);
});

test('a later member begins with the first number that arrives', () => {
  const ledger = new Ledger(41);
  expect(ledger.read(42, 0)).toBe('next');
  expect(ledger.missing).toBe(0);
});

test('in any order of arrival, every number is reported once as new or late, then as repeated', () => {
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
