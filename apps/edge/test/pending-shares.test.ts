/** Places for pending requests: a greedy user leaves some to others, and each place is given back. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PendingShares } from '../src/admission/authorizer/pending-shares.js';

/** Takes places until one is refused; returns their number. */
function takeAll(shares: PendingShares, asker: string): number {
  let taken = 0;
  while (taken < 10_000 && shares.take(asker)) taken++;
  return taken;
}

test('one asker gets at most its own limit', () => {
  expect(takeAll(new PendingShares(1000, 20), 'greedy')).toBe(20);
});

test('one asker gets at most as many places as stay free', () => {
  const shares = new PendingShares(100, 1000);
  expect(takeAll(shares, 'greedy')).toBe(50);
  expect(takeAll(shares, 'second')).toBe(25);
  expect(shares.size).toBe(75);
  expect(shares.take('third')).toBe(true);
});

test('greedy askers cannot take the last place from a first request', () => {
  const shares = new PendingShares(100, 1000);
  for (let n = 0; n < 100 && shares.size < 99; n++) expect(takeAll(shares, `greedy-${n}`)).toBeGreaterThan(0);
  expect(shares.take('first question')).toBe(true);
  expect(shares.take('second question')).toBe(false);
});

test('any sequence keeps the count exact, and a place that was not taken cannot be given back', () => {
  const step = fc.record({ asker: fc.constantFrom('a', 'b', 'c'), act: fc.constantFrom('take', 'release') });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), steps => {
      const shares = new PendingShares(8, 3);
      const held: Record<string, number> = { a: 0, b: 0, c: 0 };
      for (const { asker, act } of steps) {
        const own = held[asker] ?? 0;
        const free = 8 - Object.values(held).reduce((sum, count) => sum + count, 0);
        if (act === 'release') {
          shares.release(asker);
          held[asker] = Math.max(0, own - 1);
        } else {
          expect(shares.take(asker)).toBe(own < 3 && own < free);
          if (own < 3 && own < free) held[asker] = own + 1;
        }
        for (const [name, count] of Object.entries(held)) expect(shares.of(name)).toBe(count);
        expect(shares.askers).toBe(Object.values(held).filter(count => count > 0).length);
        expect(shares.size).toBe(Object.values(held).reduce((sum, count) => sum + count, 0));
      }
    }),
  );
});
