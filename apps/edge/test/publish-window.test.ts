/** The window of publishes in flight follows the rate at which Redis answers: none waits long, and Redis stays busy. */
import { expect, test } from 'vitest';
import { MIN_PUBLISHES_IN_FLIGHT, PublishWindow } from '../src/limits/publish-window.js';

const TARGET_MS = 500;
const STEP_MS = 10;

/** Offers publishes to a Redis that answers `perSecond` of them in order; returns what it answered, and the longest wait. */
async function run(options: { offered: number; perSecond: number; seconds: number; shedOverload?: boolean }) {
  const { offered, perSecond, seconds, shedOverload = true } = options;
  const clock = { ms: 0 };
  const window = new PublishWindow({
    shedOverload,
    overloadPublishMs: TARGET_MS,
    now: () => clock.ms,
    minInFlight: 256,
  });
  const queue: { readonly sinceMs: number; readonly answer: () => void }[] = [];
  let [refused, answered, longestWaitMs, due, capacity] = [0, 0, 0, 0, 0];
  for (; clock.ms < seconds * 1000; clock.ms += STEP_MS) {
    for (due += (offered * STEP_MS) / 1000; due >= 1; due--) {
      try {
        window.assertOpen();
      } catch {
        refused++;
        continue;
      }
      void window.count(new Promise<void>(answer => queue.push({ sinceMs: clock.ms, answer })));
    }
    for (capacity += (perSecond * STEP_MS) / 1000; capacity >= 1; capacity--) {
      const next = queue.shift();
      if (next === undefined) continue;
      next.answer();
      answered++;
      if (clock.ms > 5000) longestWaitMs = Math.max(longestWaitMs, clock.ms - next.sinceMs);
    }
    await new Promise(setImmediate);
  }
  return { refused, answered: answered / seconds / perSecond, longestWaitMs, window };
}

test.each([1.2, 3, 10])(
  'at %s × what Redis answers it stays busy, and no publish waits much longer than the target',
  async load => {
    const { answered, longestWaitMs, refused } = await run({ offered: load * 2000, perSecond: 2000, seconds: 12 });
    expect(answered).toBeGreaterThan(0.95);
    expect(longestWaitMs).toBeLessThan(2 * TARGET_MS);
    expect(refused).toBeGreaterThan(0);
  },
);

test('refuses nothing below the capacity, however slow the answers are', async () => {
  const { refused } = await run({ offered: 3900, perSecond: 4000, seconds: 12 });
  expect(refused).toBe(0);
});

test('a burst below the smallest window is never refused', async () => {
  const window = new PublishWindow({ shedOverload: true, overloadPublishMs: TARGET_MS });
  const never = new Promise<void>(() => {});
  for (let i = 0; i < MIN_PUBLISHES_IN_FLIGHT; i++) {
    window.assertOpen();
    void window.count(never);
  }
  expect(() => window.assertOpen()).toThrow(
    expect.objectContaining({ code: 'UNAVAILABLE', limit: 'publishes_in_flight', retryAfterMs: expect.any(Number) }),
  );
});

test('failures are not answers: a Redis that is away does not open the window', async () => {
  const clock = { ms: 0 };
  const window = new PublishWindow({ shedOverload: true, overloadPublishMs: TARGET_MS, now: () => clock.ms });
  for (let i = 0; i < 10_000; i++) await window.count(Promise.reject(new Error('away'))).catch(() => {});
  clock.ms = 1000;
  for (let i = 0; i < MIN_PUBLISHES_IN_FLIGHT; i++) void window.count(new Promise<void>(() => {}));
  expect(() => window.assertOpen()).toThrow();
  expect(window.size).toBe(MIN_PUBLISHES_IN_FLIGHT);
});

test('turned off, it refuses nothing', async () => {
  const { refused } = await run({ offered: 12_000, perSecond: 2000, seconds: 3, shedOverload: false });
  expect(refused).toBe(0);
});

test.each([3, 10])(
  'at %s × what Redis answers, sessions that keep the delay offer little more than that',
  async load => {
    const perSecond = 2000;
    const clock = { ms: 0 };
    const window = new PublishWindow({
      shedOverload: true,
      overloadPublishMs: TARGET_MS,
      now: () => clock.ms,
      minInFlight: 256,
    });
    const heldUntilMs = new Float64Array(4000);
    const queue: (() => void)[] = [];
    let [offered, refused, answered, turn, due, capacity] = [0, 0, 0, 0, 0, 0];
    for (; clock.ms < 60_000; clock.ms += STEP_MS) {
      if (clock.ms === 30_000) [offered, refused, answered] = [0, 0, 0];
      for (due += (load * perSecond * STEP_MS) / 1000; due >= 1; due--) {
        const session = turn++ % heldUntilMs.length;
        if (clock.ms < (heldUntilMs[session] as number)) continue;
        offered++;
        try {
          window.assertOpen();
        } catch (error) {
          refused++;
          heldUntilMs[session] = clock.ms + (error as { retryAfterMs: number }).retryAfterMs;
          continue;
        }
        void window.count(new Promise<void>(answer => queue.push(answer)));
      }
      for (capacity += (perSecond * STEP_MS) / 1000; capacity >= 1; capacity--) {
        const answer = queue.shift();
        if (answer === undefined) continue;
        answer();
        answered++;
      }
      await new Promise(setImmediate);
    }
    expect(answered / 30 / perSecond, 'Redis stays busy').toBeGreaterThan(0.9);
    expect(refused / answered, 'refusals for each answer').toBeLessThan(0.5);
    expect(offered).toBeLessThan(1.5 * answered);
  },
);
