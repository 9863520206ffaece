/** Sessions end when their tokens expire, whatever the clock does: 10,000 sessions, one timer, a fake clock. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Expiry } from '../src/sessions/expiry.js';

const START_MS = Date.UTC(2030, 0, 1);
const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;

class FakeSession {
  expiresAtMs: number | undefined;
  endedAtMs: number | undefined;
  constructor(readonly dueAtMs: number | undefined) {}
}

let expiry: Expiry<FakeSession>;

beforeEach(() => {
  vi.useFakeTimers({ now: START_MS });
  expiry = new Expiry(session => {
    expect(session.endedAtMs, 'ended once').toBeUndefined();
    session.endedAtMs = Date.now();
  });
});
afterEach(() => {
  expiry.close();
  vi.useRealTimers();
});

function open(dueAtMs: number | undefined): FakeSession {
  const session = new FakeSession(dueAtMs);
  expiry.renew(session, dueAtMs);
  return session;
}

/** Advances the clock, and runs the turns of the loop that follow. */
async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

describe('expiry', () => {
  test('10,000 sessions end within two seconds after their time and never before it, on one timer', async () => {
    const sessions = Array.from({ length: 10_000 }, (_, i) => open(START_MS + 1 + ((i * 7919) % (3 * HOUR_MS))));
    expect(vi.getTimerCount()).toBe(1);
    await pass(3 * HOUR_MS + 2 * SECOND_MS);
    const lateness = sessions.map(({ endedAtMs, dueAtMs }) => (endedAtMs ?? Number.NaN) - (dueAtMs ?? Number.NaN));
    expect(lateness.filter(ms => !(ms >= 0 && ms <= 2 * SECOND_MS)).slice(0, 3)).toEqual([]);
    expect(vi.getTimerCount()).toBe(1);
  });

  test('sessions that end together yield to the event loop in between', async () => {
    const sessions = Array.from({ length: 10_000 }, () => open(START_MS + SECOND_MS));
    let mostAtOnce = 0;
    let seen = 0;
    const count = () => sessions.filter(({ endedAtMs }) => endedAtMs !== undefined).length;
    vi.advanceTimersByTime(SECOND_MS); // The tick itself, and no turn after it.
    for (let turns = 0; turns < 50 && count() < sessions.length; turns++) {
      mostAtOnce = Math.max(mostAtOnce, count() - seen);
      seen = count();
      vi.advanceTimersToNextTimer();
    }
    expect(count()).toBe(sessions.length);
    expect(mostAtOnce).toBeLessThanOrEqual(500);
    expect(mostAtOnce).toBeGreaterThan(0);
  });

  test.each([
    ['without an end', undefined],
    ['in a hundred years', START_MS + 100 * 365 * 24 * HOUR_MS],
    ['at the end of what a date can say', 8.64e15],
  ])('a session that ends %s stays, and costs no further timer', async (_, dueAtMs) => {
    const session = open(dueAtMs);
    await pass(5 * HOUR_MS);
    expect(session.endedAtMs).toBeUndefined();
    expect(vi.getTimerCount()).toBe(1);
  });

  test('a session whose time was over before it opened ends with the next tick', async () => {
    const late = open(START_MS - HOUR_MS);
    const now = open(START_MS);
    await pass(2 * SECOND_MS);
    expect([late.endedAtMs, now.endedAtMs]).toEqual([expect.any(Number), expect.any(Number)]);
  });

  test('a session that ends in days is found in time', async () => {
    const session = open(START_MS + 49 * HOUR_MS + 123);
    await pass(49 * HOUR_MS);
    expect(session.endedAtMs).toBeUndefined();
    await pass(3 * SECOND_MS);
    expect(session.endedAtMs).toBeDefined();
  });

  test.each([
    ['later', 2 * HOUR_MS],
    ['sooner', 10 * SECOND_MS],
    ['never', undefined],
  ])('a session that was renewed to end %s ends then and not as before', async (_, renewedMs) => {
    const session = open(START_MS + 60 * SECOND_MS);
    const dueAtMs = renewedMs === undefined ? undefined : START_MS + renewedMs;
    expiry.renew(session, dueAtMs);
    await pass(3 * HOUR_MS);
    if (dueAtMs === undefined) expect(session.endedAtMs).toBeUndefined();
    else {
      expect(session.endedAtMs).toBeGreaterThanOrEqual(dueAtMs);
      expect(session.endedAtMs).toBeLessThanOrEqual(dueAtMs + 2 * SECOND_MS);
    }
  });

  test('a session that is late and renewed before the tick stays', async () => {
    const session = open(START_MS - HOUR_MS);
    expiry.renew(session, START_MS + HOUR_MS);
    await pass(10 * SECOND_MS);
    expect(session.endedAtMs).toBeUndefined();
  });

  test('a session that has gone is not ended', async () => {
    const soon = open(START_MS + SECOND_MS);
    const far = open(START_MS + 3 * HOUR_MS);
    const late = open(START_MS - SECOND_MS);
    for (const session of [soon, far, late]) expiry.forget(session);
    await pass(4 * HOUR_MS);
    expect([soon, far, late].map(({ endedAtMs }) => endedAtMs)).toEqual([undefined, undefined, undefined]);
  });

  test('a process that was stopped for a day ends all expired sessions immediately', async () => {
    const sessions = [10, 5000, 80_000].map(seconds => open(START_MS + seconds * SECOND_MS));
    const stays = open(START_MS + 25 * HOUR_MS);
    vi.setSystemTime(START_MS + 24 * HOUR_MS);
    await pass(2 * SECOND_MS);
    expect(sessions.map(({ endedAtMs }) => endedAtMs !== undefined)).toEqual([true, true, true]);
    expect(stays.endedAtMs).toBeUndefined();
    await pass(HOUR_MS + 2 * SECOND_MS);
    expect(stays.endedAtMs).toBeDefined();
  });

  test('after the clock is set back by a day, no session outlives its token by the new time', async () => {
    const before = open(START_MS + 10 * SECOND_MS);
    vi.setSystemTime(START_MS - 24 * HOUR_MS);
    await pass(2 * SECOND_MS);
    const after = open(Date.now() + 10 * SECOND_MS);
    await pass(15 * SECOND_MS);
    expect(after.endedAtMs).toBeDefined();
    expect(before.endedAtMs).toBeUndefined();
    await pass(24 * HOUR_MS);
    expect(before.endedAtMs).toBeDefined();
  });

  describe('keeps no reference', () => {
    const NOTHING = { sessions: 0, seconds: 0 };
    const anyTime = (n: number): number => START_MS + 1 + ((n * 7919 * SECOND_MS) % (3 * HOUR_MS));

    test('to sessions that have gone, whatever their expiry', () => {
      const sessions = Array.from({ length: 1000 }, (_, n) => open(anyTime(n)));
      expect(expiry.held().sessions).toBe(1000);
      for (const session of sessions) expiry.forget(session);
      expect(expiry.held()).toEqual(NOTHING);
    });

    test('to expired sessions that left before the next tick', async () => {
      for (let n = 0; n < 10; n++) expiry.forget(open(START_MS - n * SECOND_MS));
      await pass(SECOND_MS);
      expect(expiry.held()).toEqual(NOTHING);
    });

    test('to former expiries of a session that is renewed repeatedly', () => {
      const session = open(anyTime(0));
      for (let n = 1; n < 1000; n++) expiry.renew(session, anyTime(n));
      expect(expiry.held()).toEqual({ sessions: 1, seconds: expect.any(Number) });
      expect(expiry.held().seconds).toBeLessThanOrEqual(1);
      expiry.renew(session, undefined);
      expect(expiry.held()).toEqual(NOTHING);
    });

    test('to sessions that have ended, soon or after hours', async () => {
      const sessions = Array.from({ length: 1000 }, (_, n) => open(anyTime(n)));
      await pass(3 * HOUR_MS + 2 * SECOND_MS);
      expect(sessions.every(({ endedAtMs }) => endedAtMs !== undefined)).toBe(true);
      expect(expiry.held()).toEqual(NOTHING);
    });

    test('to sessions that expired while the process was stopped', async () => {
      for (const seconds of [10, 5000, 80_000]) open(START_MS + seconds * SECOND_MS);
      vi.setSystemTime(START_MS + 24 * HOUR_MS);
      await pass(2 * SECOND_MS);
      expect(expiry.held()).toEqual(NOTHING);
    });

    test('to a session that left while others of the same tick ended', async () => {
      const sessions = Array.from({ length: 1500 }, () => open(START_MS + SECOND_MS));
      vi.advanceTimersByTime(SECOND_MS);
      const last = sessions.at(-1);
      if (last !== undefined) expiry.forget(last);
      await pass(SECOND_MS);
      expect(last?.endedAtMs).toBeUndefined();
      expect(expiry.held()).toEqual(NOTHING);
    });
  });
});
