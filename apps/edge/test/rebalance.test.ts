/** The moves of an edge that stays in service: a share on request, and sessions that reach the maximum age. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SILENT } from '../../../tests/support/silent-logger.js';
import { type AgingSession, Rebalance } from '../src/drain/rebalance.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const WINDOW_MS = 10_000;
const MAX_AGE_MS = 100_000;

function edgeWith(count: number, maxSessionAgeMs = 0) {
  const startedAtMs = Date.now();
  const movedAtMs: number[] = [];
  const sessions = new Set<AgingSession>();
  const moved = { request: 0, age: 0 };
  for (let i = 0; i < count; i++) {
    const session = {
      state: 'open' as AgingSession['state'],
      openedAtSeconds: Math.floor(startedAtMs / 1000),
      send() {
        movedAtMs.push(Date.now() - startedAtMs);
      },
      end(code: number): void {
        expect(code).toBe(1012);
        session.state = 'closed';
        sessions.delete(session);
      },
    };
    sessions.add(session);
  }
  const rebalance = new Rebalance({
    sessions,
    drainWindowMs: WINDOW_MS,
    maxSessionAgeMs,
    metrics: {
      sessionsMoved(reason, number) {
        moved[reason] += number;
      },
    },
    log: SILENT,
  });
  return { rebalance, sessions, moved, movedAtMs };
}

test('a share of the sessions moves over the window; those of a second request are others', async () => {
  const { rebalance, sessions, moved } = edgeWith(1000);
  expect(rebalance.moveShare(30)).toBe(300);
  expect(rebalance.moveShare(10)).toBe(70);
  await vi.advanceTimersByTimeAsync(WINDOW_MS);
  expect(sessions.size).toBe(630);
  expect(moved).toEqual({ request: 370, age: 0 });
  rebalance.close();
});

test('sessions that opened together reach the maximum age spread over its last fifth', async () => {
  const { rebalance, sessions, movedAtMs } = edgeWith(2000, MAX_AGE_MS);
  await vi.advanceTimersByTimeAsync(0.8 * MAX_AGE_MS - 2000);
  expect(movedAtMs).toEqual([]);
  await vi.advanceTimersByTimeAsync(0.2 * MAX_AGE_MS + 6000);
  expect(sessions.size).toBe(0);
  const perSecond = new Map<number, number>();
  for (const atMs of movedAtMs)
    perSecond.set(Math.floor(atMs / 1000), (perSecond.get(Math.floor(atMs / 1000)) ?? 0) + 1);
  expect(perSecond.size).toBeGreaterThan(18);
  // A hundred on average.
  expect(Math.max(...perSecond.values())).toBeLessThan(200);
  rebalance.close();
});

test('an edge that leaves moves nothing any more: its drain moves all', async () => {
  const { rebalance, sessions } = edgeWith(1000, MAX_AGE_MS);
  rebalance.moveShare(50);
  rebalance.close();
  expect(rebalance.moveShare(50)).toBe(0);
  await vi.advanceTimersByTimeAsync(2 * MAX_AGE_MS);
  expect(sessions.size).toBe(1000);
});
