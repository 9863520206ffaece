/** Frame limits of sessions, users and addresses: exact, forgotten with their last session, and with the right close code. */
import { CLOSE_CODES } from '@hubbub/protocol';
import { TokenBucket } from '@hubbub/runtime';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameLimits } from '../src/limits/frame-limits.js';
import { RememberedBuckets, SharedBuckets } from '../src/limits/keyed-buckets.js';

const SETTINGS = {
  maxFramesPerSecond: 10,
  maxFramesBurst: 5,
  maxUserFramesPerSecond: 0,
  maxAddressFramesPerSecond: 0,
  maxRefusalsPerMinute: 3,
};

const USER = { user: { id: 'u', name: 'U' }, address: '192.0.2.1' };

test('in any interval a bucket grants at most its burst plus its rate, and a caller that waits as advised succeeds', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.double({ min: 0, max: 400, noNaN: true }), { maxLength: 200 }),
      (perSecond, burst, pauses) => {
        const bucket = new TokenBucket({ perSecond, burst }, 0);
        const taken: number[] = [];
        let nowMs = 0;
        for (const pause of pauses) {
          nowMs += pause;
          const waitMs = bucket.waitMs(nowMs);
          // A frame that waits for the advised time passes, except for rounding of the clock.
          if (waitMs > 0) nowMs += waitMs + 1e-6;
          if (bucket.waitMs(nowMs) > 0) throw new Error(`advised to wait ${waitMs} ms, and then again`);
          bucket.take();
          taken.push(nowMs);
        }
        for (const [first, fromMs] of taken.entries()) {
          for (let last = first; last < taken.length; last++) {
            const most = burst + (((taken[last] ?? 0) - fromMs) * perSecond) / 1000;
            expect(last - first + 1).toBeLessThanOrEqual(most + 1e-3);
          }
        }
      },
    ),
  );
});

test('a refusal names the time to retry, and takes no token', () => {
  const allowance = new FrameLimits(SETTINGS).open(USER, 0);
  for (let n = 0; n < 5; n++) expect(allowance.take(0)).toBeUndefined();
  for (let n = 1; n <= 50; n++) {
    expect(allowance.take(0)).toMatchObject({ limit: 'session_frames', code: 'RATE_LIMITED', retryAfterMs: 100 * n });
  }
  expect(allowance.take(50)).toMatchObject({ retryAfterMs: 5050 });
  expect(allowance.take(101)).toBeUndefined();
  expect(allowance.take(101)).toBeDefined();
});

test('the sessions of a user or of an address share a limit, others do not', () => {
  const limits = new FrameLimits({
    ...SETTINGS,
    maxFramesPerSecond: 0,
    maxUserFramesPerSecond: 2,
    maxAddressFramesPerSecond: 3,
  });
  const open = (id: string, address: string) => limits.open({ user: { id, name: id }, address }, 0);
  const [HERE, THERE] = ['192.0.2.1', '192.0.2.2'];
  const here = open('alice', HERE);
  const there = open('alice', THERE);
  const bob = open('bob', HERE);
  for (let n = 0; n < 2; n++) for (const session of [here, there]) expect(session.take(0)).toBeUndefined();
  expect(here.take(0)).toMatchObject({ limit: 'user_frames', retryAfterMs: 500 });
  expect(there.take(0)).toMatchObject({ limit: 'user_frames' });
  for (let n = 0; n < 4; n++) expect(bob.take(0)).toBeUndefined(); // 6 from `here`, of which alice sent 2.
  expect(open('carol', HERE).take(0)).toMatchObject({ limit: 'address_frames', retryAfterMs: 334 });
  expect(open('carol', '192.0.2.3').take(0)).toBeUndefined();
});

test('holders of a key share one bucket, which is forgotten when it has no holder and is full again', () => {
  const buckets = new SharedBuckets({ perSecond: 1, burst: 2 });
  const first = buckets.hold('k', 0);
  expect(buckets.hold('k', 0)).toBe(first);
  buckets.release('k', 0);
  first.take(2);
  buckets.release('k', 0);
  expect(buckets.hold('k', 1000)).toBe(first);
  buckets.release('k', 1000);
  expect(buckets.size(1999)).toBe(1);
  expect(buckets.size(2000)).toBe(0);
  expect(buckets.hold('k', 2000)).not.toBe(first);
});

test('a full bucket is forgotten when its last holder leaves', () => {
  const buckets = new SharedBuckets({ perSecond: 1, burst: 2 });
  buckets.hold('k', 0);
  buckets.release('k', 0);
  expect(buckets.size(0)).toBe(0);
  const remembered = new RememberedBuckets({ perSecond: 1, burst: 2 });
  remembered.put('k', new TokenBucket({ perSecond: 1, burst: 2 }, 0), 0);
  expect(remembered.size).toBe(0);
});

test('a key with only full buckets is forgotten together with its buckets', () => {
  const remembered = new RememberedBuckets({ perSecond: 1, burst: 2 });
  const bucket = remembered.take('k', 0);
  bucket.take(2);
  remembered.put('k', bucket, 0);
  expect(remembered.keys).toBe(1);
  remembered.forgetFull(2000);
  expect(remembered.keys).toBe(0);
});

test('a session that reconnects keeps its remaining tokens and the debts of all ended sessions', () => {
  const limits = new FrameLimits(SETTINGS);
  const sessions = [limits.open(USER, 0), limits.open(USER, 0)];
  for (const session of sessions) for (let n = 0; n < 5; n++) expect(session.take(0)).toBeUndefined();
  for (const session of sessions) limits.close(USER, session, 0);
  const again = [limits.open(USER, 100), limits.open(USER, 100), limits.open(USER, 100)];
  const taken = again.map(session => Array.from({ length: 9 }, () => session.take(100)).filter(no => !no).length);
  expect(taken).toEqual([1, 1, 5]);
  for (const session of again) limits.close(USER, session, 100);
  expect(limits.size(600)).toBe(0);
  expect(limits.open(USER, 600).take(600)).toBeUndefined();
});

test('sessions without a token continue with the bucket of their address, because each one is a separate user', () => {
  const limits = new FrameLimits({ ...SETTINGS, maxAddressFramesPerSecond: 50 });
  const anonymous = (n: number) => ({ user: { id: `anonymous:${n}`, name: 'Anonymous' }, address: '192.0.2.1' });
  const first = limits.open(anonymous(1), 0);
  for (let n = 0; n < 5; n++) first.take(0);
  limits.close(anonymous(1), first, 0);
  expect(limits.open(anonymous(2), 0).take(0)).toMatchObject({ limit: 'session_frames' });
  expect(limits.open({ ...anonymous(3), address: '192.0.2.2' }, 0).take(0)).toBeUndefined();
});

test('forgets sessions, users and addresses that have gone, whatever they sent', () => {
  const limits = new FrameLimits({ ...SETTINGS, maxUserFramesPerSecond: 20, maxAddressFramesPerSecond: 20 });
  const open = Array.from({ length: 100 }, (_, n) => {
    const who = { user: { id: `u${n % 30}`, name: 'U' }, address: `192.0.2.${n % 7}` };
    const allowance = limits.open(who, n);
    for (let frame = 0; frame < n; frame++) allowance.take(n);
    return { who, allowance };
  });
  expect(limits.size(100)).toBeGreaterThan(30);
  for (const { who, allowance } of open) limits.close(who, allowance, 100);
  expect(limits.size(100)).toBeGreaterThan(0);
  expect(limits.size(60_000)).toBe(0);
});

test('above the bound of remembered buckets, a newcomer starts as low as the emptiest forgotten one', () => {
  const remembered = new RememberedBuckets({ perSecond: 1, burst: 10 }, 2);
  const leave = (key: string, taken: number) => {
    const bucket = new TokenBucket({ perSecond: 1, burst: 10 }, 0);
    bucket.take(taken);
    remembered.put(key, bucket, 0);
  };
  for (const [key, taken] of [
    ['a', 1],
    ['b', 2],
    ['c', 3],
    ['d', 7],
  ] as const)
    leave(key, taken);
  expect(remembered.size).toBe(2);
  expect(remembered.take('d', 0).level(0)).toBe(3);
  expect(remembered.take('new', 1000).level(1000)).toBe(4);
  expect(remembered.take('b', 1000).level(1000)).toBe(9);
  expect(remembered.take('new', 7000).level(7000)).toBe(10);
});

test('too many refusals in a minute close with the code of the most frequent one, and the next minute starts over', () => {
  const limits = new FrameLimits(SETTINGS);
  const flooding = limits.open(USER, 0);
  const nonsense = limits.open(USER, 0);
  for (let n = 0; n < 3; n++) {
    expect(flooding.refused('RATE_LIMITED', n)).toBeUndefined();
    expect(nonsense.refused('INVALID_FORMAT', n)).toBeUndefined();
  }
  expect(flooding.refused('INVALID_FORMAT', 59_999)).toBe(CLOSE_CODES.TOO_MANY_FRAMES);
  expect(nonsense.refused('RATE_LIMITED', 60_000)).toBeUndefined();
  for (let n = 0; n < 2; n++) nonsense.refused('INVALID_FORMAT', 60_000);
  expect(nonsense.refused('INVALID_FORMAT', 60_000)).toBe(CLOSE_CODES.PROTOCOL_ABUSE);
});

test('a session that obeys retry_after_ms is never closed: simultaneous refusals reserve one token each', () => {
  const limits = new FrameLimits({
    maxFramesPerSecond: 100,
    maxFramesBurst: 200,
    maxUserFramesPerSecond: 500,
    maxAddressFramesPerSecond: 5000,
    maxRefusalsPerMinute: 300,
  });
  const allowance = limits.open({ user: { id: 'u1', name: 'One' }, address: '127.0.0.1' }, 0);
  /** The time at which each frame is sent: 480 simultaneously, then each refused one after its delay. */
  const due = Array.from({ length: 480 }, () => 0);
  let passed = 0;
  let refusals = 0;
  while (due.length > 0) {
    due.sort((a, b) => a - b);
    const nowMs = due.shift() as number;
    const refusal = allowance.take(nowMs);
    if (refusal === undefined) passed++;
    else {
      refusals++;
      expect(allowance.refused('RATE_LIMITED', nowMs), `${refusals} refusals`).toBeUndefined();
      due.push(nowMs + (refusal.retryAfterMs ?? 0));
    }
  }
  expect(passed).toBe(480);
  expect(refusals).toBeLessThan(300);
});
