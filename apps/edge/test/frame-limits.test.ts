/** What a session, its user and its address may send: counted exactly, forgotten when nobody is left, closed for the right reason. */
import { CLOSE_CODES } from '@hubbub/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameLimits } from '../src/limits/frame-limits.js';
import { SharedBuckets } from '../src/limits/shared-buckets.js';
import { TokenBucket } from '../src/limits/token-bucket.js';

const SETTINGS = {
  maxFramesPerSecond: 10,
  maxFramesBurst: 5,
  maxUserFramesPerSecond: 0,
  maxAddressFramesPerSecond: 0,
  maxRefusalsPerMinute: 3,
};

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
  const allowance = new FrameLimits(SETTINGS).open('u', 'a', 0);
  for (let n = 0; n < 5; n++) expect(allowance.take(0)).toBeUndefined();
  for (let n = 0; n < 50; n++) {
    expect(allowance.take(0)).toMatchObject({ limit: 'session_frames', code: 'RATE_LIMITED', retryAfterMs: 100 });
  }
  expect(allowance.take(50)).toMatchObject({ retryAfterMs: 50 });
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
  const here = limits.open('alice', 'here', 0);
  const there = limits.open('alice', 'there', 0);
  const bob = limits.open('bob', 'here', 0);
  for (let n = 0; n < 2; n++) for (const session of [here, there]) expect(session.take(0)).toBeUndefined();
  expect(here.take(0)).toMatchObject({ limit: 'user_frames', retryAfterMs: 500 });
  expect(there.take(0)).toMatchObject({ limit: 'user_frames' });
  for (let n = 0; n < 4; n++) expect(bob.take(0)).toBeUndefined(); // 6 from `here`, of which alice sent 2.
  expect(limits.open('carol', 'here', 0).take(0)).toMatchObject({ limit: 'address_frames', retryAfterMs: 334 });
  expect(limits.open('carol', 'elsewhere', 0).take(0)).toBeUndefined();
});

test('a key is remembered while it is held, and not longer', () => {
  const buckets = new SharedBuckets({ perSecond: 1, burst: 1 });
  const first = buckets.hold('k', 0);
  expect(buckets.hold('k', 0)).toBe(first);
  buckets.release('k');
  expect(buckets.size).toBe(1);
  buckets.release('k');
  expect(buckets.size).toBe(0);
  expect(buckets.hold('k', 0)).not.toBe(first);
});

test('too many refusals in a minute: the code says what most of them were, and the next minute is another', () => {
  const limits = new FrameLimits(SETTINGS);
  const flooding = limits.open('u', 'a', 0);
  const nonsense = limits.open('u', 'a', 0);
  for (let n = 0; n < 3; n++) {
    expect(flooding.refused('RATE_LIMITED', n)).toBeUndefined();
    expect(nonsense.refused('INVALID_FORMAT', n)).toBeUndefined();
  }
  expect(flooding.refused('INVALID_FORMAT', 59_999)).toBe(CLOSE_CODES.TOO_MANY_FRAMES);
  expect(nonsense.refused('RATE_LIMITED', 60_000)).toBeUndefined();
  for (let n = 0; n < 2; n++) nonsense.refused('INVALID_FORMAT', 60_000);
  expect(nonsense.refused('INVALID_FORMAT', 60_000)).toBe(CLOSE_CODES.PROTOCOL_ABUSE);
});
