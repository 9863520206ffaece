/** Budgets of sessions, users and namespaces: a debt delays the next action, is shared as documented, and is forgotten. */
import { expect, test } from 'vitest';
import type { Usage } from '../src/limits/budget.js';
import { CostLimits, type CostSettings } from '../src/limits/cost-limits.js';
import type { LimitExceeded } from '../src/limits/limit-exceeded.js';

const NO_LIMIT = {
  maxCallsPerSecond: 0,
  maxUserCallsPerSecond: 0,
  maxNamespaceCallsPerSecond: 0,
  maxBytesOutPerSecond: 0,
  maxUserBytesOutPerSecond: 0,
  maxNamespaceBytesOutPerSecond: 0,
  maxUserStoredBytes: 0,
  maxNamespaceStoredBytes: 0,
  maxRooms: 2,
};
const HISTORY = { size: 3, ttlMs: 60_000 };
const NAMESPACES = {
  chat: { historySize: HISTORY.size, historyTtlMs: HISTORY.ttlMs },
} as unknown as CostSettings['namespaces'];
const ALICE = { user: { id: 'alice', name: 'A' }, address: '192.0.2.1' };
const BOB = { user: { id: 'bob', name: 'B' }, address: '192.0.2.1' };

/** Of the limits that the test made last. */
let charged: Usage;

function limitsOf(settings: Partial<CostSettings>): CostLimits {
  const limits = new CostLimits({ ...NO_LIMIT, namespaces: NAMESPACES, ...settings });
  charged = limits.used;
  return limits;
}

function refusalOf(action: () => void): Partial<LimitExceeded> | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return error as LimitExceeded;
  }
}

test('an action may cost more than is left, and the next one waits until the debt is paid', () => {
  const alice = limitsOf({ maxBytesOutPerSecond: 100 }).open(ALICE, 0);
  alice.bytesOut.assertLeft('general');
  alice.bytesOut.charge(2000, 'general');
  expect(refusalOf(() => alice.bytesOut.assertLeft('general'))).toMatchObject({
    limit: 'session_bytes_out',
    code: 'RATE_LIMITED',
    retryAfterMs: 4010,
  });
  alice.clock.nowMs = 4009;
  expect(refusalOf(() => alice.bytesOut.assertLeft('general'))).toMatchObject({ retryAfterMs: 1 });
  alice.clock.nowMs = 4010;
  alice.bytesOut.assertLeft('general');
  alice.calls.spend(1_000_000, 'general');
  expect(charged).toEqual({ bytes_out: 2000, calls: 1_000_000, stored_bytes: 0 });
});

test('the burst of a session covers its rooms, however few calls per second it has', () => {
  const alice = limitsOf({ maxCallsPerSecond: 1, maxRooms: 100 }).open(ALICE, 0);
  for (let room = 0; room < 100; room++) alice.calls.spend(3, `r${room}`);
  expect(refusalOf(() => alice.calls.spend(1, 'r0'))).toMatchObject({ limit: 'session_calls' });
});

test('the burst of a session is four seconds of its rate if its rooms need less', () => {
  const alice = limitsOf({ maxCallsPerSecond: 100 }).open(ALICE, 0);
  for (let n = 0; n < 400; n++) alice.calls.spend(1, 'general');
  expect(refusalOf(() => alice.calls.spend(1, 'general'))).toMatchObject({ limit: 'session_calls', retryAfterMs: 10 });
});

test('budgets are independent, and the hint is the time until the exhausted one has something left', () => {
  const RATES = [
    ['maxBytesOutPerSecond', 'session_bytes_out'],
    ['maxUserBytesOutPerSecond', 'user_bytes_out'],
    ['maxNamespaceBytesOutPerSecond', 'namespace_bytes_out'],
  ] as const;
  for (const [setting, limit] of RATES) {
    const limits = limitsOf({ [setting]: 10 });
    const [one, sameUser, other] = [limits.open(ALICE, 0), limits.open(ALICE, 0), limits.open(BOB, 0)];
    one.bytesOut.charge(160, 'chat:1');
    const refusals = [one, sameUser, other].map(cost => refusalOf(() => cost.bytesOut.assertLeft('chat:1'))?.limit);
    const shared = { session_bytes_out: 1, user_bytes_out: 2, namespace_bytes_out: 3 }[limit];
    expect(refusals).toEqual([0, 1, 2].map(at => (at < shared ? limit : undefined)));
    expect(refusalOf(() => one.bytesOut.assertLeft('chat:1'))).toMatchObject({ limit, retryAfterMs: 100 });
    expect(refusalOf(() => one.bytesOut.assertLeft('general'))?.limit).toBe(
      limit === 'namespace_bytes_out' ? undefined : limit,
    );
  }
});

test('the sessions of a user share a budget, and so do those of an address without a token', () => {
  const limits = limitsOf({ maxUserCallsPerSecond: 10 });
  const [one, other, bob] = [limits.open(ALICE, 0), limits.open(ALICE, 0), limits.open(BOB, 0)];
  one.calls.spend(40, 'general');
  expect(refusalOf(() => other.calls.spend(1, 'general'))).toMatchObject({ limit: 'user_calls' });
  bob.calls.spend(1, 'general');
  const anonymous = (n: number) => limits.open({ ...ALICE, user: { id: `anonymous:${n}`, name: 'Anonymous' } }, 0);
  anonymous(1).calls.spend(40, 'general');
  expect(refusalOf(() => anonymous(2).calls.spend(1, 'general'))).toMatchObject({ limit: 'user_calls' });
});

test('each configured namespace has its own budget, and all others share one', () => {
  const limits = limitsOf({ maxNamespaceCallsPerSecond: 10 });
  const alice = limits.open(ALICE, 0);
  const bob = limits.open(BOB, 0);
  alice.calls.spend(40, 'chat:1');
  expect(refusalOf(() => bob.calls.spend(1, 'chat:2'))).toMatchObject({ limit: 'namespace_calls' });
  bob.calls.spend(40, 'general');
  bob.calls.spend(40, 'invented:1');
  expect(refusalOf(() => bob.calls.spend(1, 'made-up:1'))).toMatchObject({ limit: 'namespace_calls' });
  bob.calls.spend(1, undefined);
});

test('reconnecting does not refill what a session or a user may cost', () => {
  const limits = limitsOf({ maxBytesOutPerSecond: 10, maxUserCallsPerSecond: 10, maxUserStoredBytes: 600 });
  const first = limits.open(ALICE, 0);
  first.bytesOut.charge(200, 'chat:1');
  first.calls.charge(50, 'chat:1');
  first.stored.spend('chat:1', HISTORY, 600);
  limits.close(first, 0);
  const second = limits.open(ALICE, 0);
  expect(refusalOf(() => second.bytesOut.assertLeft('chat:1'))).toMatchObject({ limit: 'session_bytes_out' });
  expect(refusalOf(() => second.calls.assertLeft('chat:1'))).toMatchObject({ limit: 'user_calls' });
  expect(refusalOf(() => second.stored.spend('chat:1', HISTORY, 1))).toMatchObject({ limit: 'user_stored_bytes' });
  limits.close(second, 0);
  expect(limits.size(0)).toBe(3);
  expect(limits.size(HISTORY.ttlMs)).toBe(0);
});

test('forgets sessions and users that have gone', () => {
  const all = { maxCallsPerSecond: 5, maxUserCallsPerSecond: 5, maxBytesOutPerSecond: 5, maxUserBytesOutPerSecond: 5 };
  const limits = limitsOf({ ...all, maxUserStoredBytes: 1000 });
  const sessions = Array.from({ length: 50 }, (_, n) =>
    limits.open({ ...ALICE, user: { id: `u${n % 7}`, name: '' } }, n),
  );
  for (const [n, session] of sessions.entries()) {
    session.calls.charge(n, 'chat:1');
    session.bytesOut.charge(n, 'chat:1');
    session.stored.spend('chat:1', HISTORY, n);
  }
  expect(limits.size(50)).toBe(3 * 7);
  for (const session of sessions) limits.close(session, 50);
  expect(limits.size(50)).toBeGreaterThan(3 * 7);
  expect(limits.size(10 * HISTORY.ttlMs)).toBe(0);
});

test('a room that a session has filled costs no more until its time to live is over; other rooms do', () => {
  const limits = limitsOf({ maxUserStoredBytes: 600 });
  const alice = limits.open(ALICE, 0);
  for (let n = 0; n < 50; n++) alice.stored.spend('chat:1', HISTORY, 100);
  expect(charged.stored_bytes).toBe(300);
  for (let n = 0; n < 3; n++) alice.stored.spend('chat:2', HISTORY, 100);
  expect(refusalOf(() => alice.stored.spend('chat:3', HISTORY, 100))).toMatchObject({ limit: 'user_stored_bytes' });
  alice.clock.nowMs = HISTORY.ttlMs;
  alice.stored.spend('chat:1', HISTORY, 100);
  expect(charged.stored_bytes).toBe(700);
});

test('a session remembers at most as many filled rooms as it may be in: the oldest one costs again', () => {
  const alice = limitsOf({}).open(ALICE, 0);
  for (const room of ['chat:1', 'chat:2', 'chat:3']) for (let n = 0; n < 5; n++) alice.stored.spend(room, HISTORY, 1);
  expect(charged.stored_bytes).toBe(9);
  for (const room of ['chat:3', 'chat:2']) alice.stored.spend(room, HISTORY, 1);
  expect(charged.stored_bytes).toBe(9);
  alice.stored.spend('chat:1', HISTORY, 1);
  expect(charged.stored_bytes).toBe(10);
});

test('the storage of all users in a namespace is bounded too', () => {
  const limits = limitsOf({ maxNamespaceStoredBytes: 100 });
  limits.open(ALICE, 0).stored.spend('chat:1', HISTORY, 100);
  expect(refusalOf(() => limits.open(BOB, 0).stored.spend('chat:2', HISTORY, 1))).toMatchObject({
    limit: 'namespace_stored_bytes',
    retryAfterMs: 600,
  });
});
