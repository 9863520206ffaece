/** How often a silent room is looked at. */
import { describe, expect, test } from 'vitest';
import { isCheckDue } from '../src/silence.js';

function dueRounds(rounds: number, options: Parameters<typeof isCheckDue>[1]): number[] {
  return Array.from({ length: rounds }, (_, i) => i + 1).filter(round => isCheckDue(round, options));
}

describe('a silent room', () => {
  test('is looked at soon after its last message, and ever more rarely after that', () => {
    expect(dueRounds(64, { checkIntervalMs: 5000, historyTtlMs: 300_000 })).toEqual([1, 2, 4, 8, 16, 32, 48, 64]);
  });

  test('keeps its position: it is looked at before a history that lives shortly would end', () => {
    expect(dueRounds(12, { checkIntervalMs: 5000, historyTtlMs: 17_000 })).toEqual([1, 2, 3, 6, 9, 12]);
  });

  test('is looked at in every round where its history lives no longer than one', () => {
    expect(dueRounds(4, { checkIntervalMs: 5000, historyTtlMs: 1000 })).toEqual([1, 2, 3, 4]);
  });
});
