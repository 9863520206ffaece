/** What a session, its user and its address may send: counted exactly, forgotten when nobody is left, closed for the right reason. */
import { CLOSE_CODES } from '@hubbub/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameLimits } from '../src/limits/frame-limits.js';
import { RememberedBuckets } from '../src/limits/remembered-buckets.js';
import { SharedBuckets } from '../src/limits/shared-buckets.js';
import { TokenBucket } from '../src/limits/token-bucket.js';

const SETTINGS = {
  maxFramesPerSecond: 10,
  maxFramesBurst: 5,
  maxUserFramesPerSecond: 0,
  maxAddressFramesPerSecond: 0,
  maxRefusalsPerMinute: 3,
};

const USER = { user: { id: 'u', name: 'U' }, address: '192.0.2.1' };

test('in any interval a bucket gives at most its burst and what the rate adds, and never less to who waits as told', () => {
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
          // What waits as long as it was told gets through, but for the last digits of the clock.
          if (waitMs > 0) nowMs += waitMs + 1e-6;
          if (bucket.waitMs(nowMs) > 0) throw new Error(`told to wait ${waitMs} ms, and then again`);
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

test('who is refused is told when to come, and what is refused takes nothing', () => {
  const allowance = new FrameLimits(SETTINGS).open(USER, 0);
  for (let n = 0; n < 5; n++) expect(allowance.take(0)).toBeUndefined();
  for (let n = 1; n <= 50; n++) {
    expect(allowance.take(0)).toMatchObject({ limit: 'session_frames', code: 'RATE_LIMITED', retryAfterMs: 100 * n });
  }
  expect(allowance.take(50)).toMatchObject({ retryAfterMs: 5050 });
  expect(allowance.take(101)).toBeUndefined();
  expect(allowance.take(101)).toBeDefined();
});

test('the sessions of a user and of an address share what they may send, others do not', () => {
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

test('a bucket of many holders is one, and is forgotten when nobody holds it and it is full again', () => {
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

test('a bucket that is full when nobody holds it any more is forgotten then', () => {
  const buckets = new SharedBuckets({ perSecond: 1, burst: 2 });
  buckets.hold('k', 0);
  buckets.release('k', 0);
  expect(buckets.size(0)).toBe(0);
  const remembered = new RememberedBuckets({ perSecond: 1, burst: 2 });
  remembered.put('k', new TokenBucket({ perSecond: 1, burst: 2 }, 0), 0);
  expect(remembered.size).toBe(0);
});

test('a key whose buckets are full is forgotten, and not only its buckets', () => {
  const remembered = new RememberedBuckets({ perSecond: 1, burst: 2 });
  const bucket = remembered.take('k', 0);
  bucket.take(2);
  remembered.put('k', bucket, 0);
  expect(remembered.keys).toBe(1);
  remembered.forgetFull(2000);
  expect(remembered.keys).toBe(0);
});

test('a session that reconnects goes on with what it left, and with the debts of all sessions that ended', () => {
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

test('sessions without a token go on with what their address left, because each is a user of its own', () => {
  const limits = new FrameLimits({ ...SETTINGS, maxAddressFramesPerSecond: 50 });
  const anonymous = (n: number) => ({ user: { id: `anonymous:${n}`, name: 'Anonymous' }, address: '192.0.2.1' });
  const first = limits.open(anonymous(1), 0);
  for (let n = 0; n < 5; n++) first.take(0);
  limits.close(anonymous(1), first, 0);
  expect(limits.open(anonymous(2), 0).take(0)).toMatchObject({ limit: 'session_frames' });
  expect(limits.open({ ...anonymous(3), address: '192.0.2.2' }, 0).take(0)).toBeUndefined();
});

test('nothing is left of sessions, users and addresses that have gone, whatever they sent', () => {
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

test('above the bound of what is remembered newcomers begin with as little as the emptiest that was forgotten', () => {
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

test('too many refusals in a minute: the code says what most of them were, and the next minute is another', () => {
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

test('obeying retry_after_ms gets no session closed: refusals at one time are promised one token each', () => {
  const limits = new FrameLimits({
    maxFramesPerSecond: 100,
    maxFramesBurst: 200,
    maxUserFramesPerSecond: 500,
    maxAddressFramesPerSecond: 5000,
    maxRefusalsPerMinute: 300,
  });
  const allowance = limits.open({ user: { id: 'u1', name: 'One' }, address: '127.0.0.1' }, 0);
  /** When each frame is sent: 480 at once, and each refused one again when it may. */
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
