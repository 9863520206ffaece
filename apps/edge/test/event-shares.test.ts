/** A user's share of a log of client events: unlimited below half, then small, until services catch up. */
import { expect, test } from 'vitest';
import { EventShares } from '../src/services/event-shares.js';

const MAX = 1280; // Half of it is 640, a share 20.

function accepted(shares: EventShares, user: string, times: number, nowMs: number): number {
  let count = 0;
  for (let n = 0; n < times; n++) {
    try {
      shares.take('game', user, nowMs);
      count++;
    } catch (error) {
      expect(error).toMatchObject({ limit: 'waiting_events', code: 'UNAVAILABLE' });
    }
  }
  return count;
}

test('limits no user while half of the log is free, and then gives each user a share', () => {
  const shares = new EventShares(MAX);
  expect(accepted(shares, 'a', 1000, 0)).toBe(1000);
  shares.found('game', 639, 0);
  expect(accepted(shares, 'a', 1000, 0)).toBe(1000);
  shares.found('game', 640, 0);
  expect(accepted(shares, 'a', 100, 0)).toBe(20);
  expect(accepted(shares, 'b', 100, 0)).toBe(20);
});

test('limits no user, and begins new shares, when services have caught up', () => {
  const shares = new EventShares(MAX);
  shares.found('game', 1000, 0);
  expect(accepted(shares, 'a', 100, 0)).toBe(20);
  shares.found('game', 100, 0);
  expect(accepted(shares, 'a', 100, 0)).toBe(100);
  shares.found('game', 1000, 0);
  expect(accepted(shares, 'a', 100, 0)).toBe(20);
});

test('the known length of a log expires after a second, and one event refreshes it', () => {
  const shares = new EventShares(MAX);
  shares.found('game', 1000, 0);
  expect(accepted(shares, 'a', 100, 0)).toBe(20);
  expect(accepted(shares, 'a', 100, 999)).toBe(0);
  expect(accepted(shares, 'a', 100, 1000)).toBe(1);
});

test('a log that turned over while it was half full begins again with new shares', () => {
  const shares = new EventShares(MAX);
  for (let n = 0; n < MAX - 1; n++) shares.found('game', 800, 0);
  expect(accepted(shares, 'a', 100, 0)).toBe(20);
  shares.found('game', 800, 0);
  expect(accepted(shares, 'a', 100, 0)).toBe(20);
});

test('namespaces have separate logs', () => {
  const shares = new EventShares(MAX);
  shares.found('vote', 1200, 0);
  expect(accepted(shares, 'a', 100, 0)).toBe(100);
});
