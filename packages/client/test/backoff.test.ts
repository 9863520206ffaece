/** Full jitter stays within its bounds. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fullJitterMs } from '../src/backoff.js';

it('is between 0 and min(cap, base · 2^attempt), for any attempt', () => {
  const policy = { baseDelayMs: 1_000, maxDelayMs: 30_000 };
  fc.assert(
    fc.property(fc.nat(100_000), attempt => {
      const delayMs = fullJitterMs(attempt, policy);
      expect(delayMs).toBeGreaterThanOrEqual(0);
      expect(delayMs).toBeLessThanOrEqual(Math.min(30_000, 1_000 * 2 ** attempt));
    }),
  );
});

it('spreads a crowd over the whole range', () => {
  const policy = { baseDelayMs: 1_000, maxDelayMs: 30_000 };
  const tenths = Array.from({ length: 1_000 }, () => Math.floor(fullJitterMs(10, policy) / 3_000));
  expect(new Set(tenths).size).toBe(10);
});
