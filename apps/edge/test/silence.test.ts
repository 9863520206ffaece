/** The interval between polls of a silent room. */
import { POSITION_TTL_FACTOR } from '@hubbub/broker';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isCheckDue } from '../src/history/room-feed.js';

function dueRounds(rounds: number, options: Parameters<typeof isCheckDue>[1]): number[] {
  return Array.from({ length: rounds }, (_, i) => i + 1).filter(round => isCheckDue(round, options));
}

describe('a silent room', () => {
  test('is polled soon after its last message, and ever more rarely after that', () => {
    expect(dueRounds(64, { checkIntervalMs: 5000, historyTtlMs: 300_000 })).toEqual([1, 2, 4, 8, 16, 32, 48, 64]);
  });

  test('keeps its position: it is polled before a short-lived history would expire', () => {
    expect(dueRounds(12, { checkIntervalMs: 5000, historyTtlMs: 17_000 })).toEqual([1, 2, 3, 6, 9, 12]);
  });

  test('is polled in every round if its history lives no longer than one', () => {
    expect(dueRounds(4, { checkIntervalMs: 5000, historyTtlMs: 1000 })).toEqual([1, 2, 3, 4]);
  });

  test('is polled before its position would expire, at any time of the last message and with any settings', () => {
    const settings = fc.record({
      checkIntervalMs: fc.integer({ min: 100, max: 600_000 }),
      factor: fc.double({ min: 2, max: 100, noNaN: true }),
    });
    fc.assert(
      fc.property(settings, ({ checkIntervalMs, factor }) => {
        const historyTtlMs = Math.ceil(factor * checkIntervalMs);
        const rounds = dueRounds(64, { checkIntervalMs, historyTtlMs });
        // The message came just after a check. The next check finds the position; silent rounds begin after it.
        const looksMs = [0, ...rounds.map(round => (round + 1) * checkIntervalMs)];
        const pausesMs = looksMs.slice(1).map((atMs, index) => atMs - (looksMs[index] ?? 0));
        expect(Math.max(...pausesMs)).toBeLessThan(historyTtlMs * POSITION_TTL_FACTOR);
      }),
    );
  });
});
