/** The share of handshakes that an overloaded edge refuses: gradual, and logged when it begins and ends. */
import pino from 'pino';
import { describe, expect, test } from 'vitest';
import { Overload, type OverloadSignal } from '../src/limits/overload.js';

const STEP_MS = 100;

function bench({ enabled = true } = {}) {
  const clock = { ms: 0 };
  const delays = { subscriptionMs: 0, unappendedMs: 0, fill: 0, lagMs: 0 };
  const lines: { event: string; reason?: string; refused?: number }[] = [];
  const shed: OverloadSignal[] = [];
  const overload = new Overload({
    shedOverload: enabled,
    overloadLoopDelayMs: 200,
    overloadSubscriptionMs: 1000,
    overloadReportMs: 1000,
    overloadReportLogPercent: 50,
    overloadPresenceLagMs: 5000,
    log: pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) }),
    shedOne: reason => shed.push(reason),
    now: () => clock.ms,
  });
  overload.start({ subscriptionAgeMs: () => delays.subscriptionMs, reports: () => delays });
  overload.close(); // The clock of the test samples instead of the timer.
  return {
    overload,
    delays,
    lines,
    shed,
    pass(ms: number, lateMs = 0): void {
      for (const endMs = clock.ms + ms; clock.ms < endMs; ) {
        clock.ms += STEP_MS + lateMs;
        overload.sample();
      }
    },
    refusedOf: (count: number) => Array.from({ length: count }, () => overload.refusesNext()).filter(Boolean).length,
  };
}

describe('a signal above its threshold', () => {
  test.each<[OverloadSignal, Partial<ReturnType<typeof bench>['delays']>]>([
    ['subscriptions', { subscriptionMs: 3000 }],
    ['reports', { unappendedMs: 3000 }],
    ['report_log', { fill: 1 }],
    ['presence', { lagMs: 20_000 }],
  ])('refuses more and more handshakes, and counts them by reason: %s', (reason, above) => {
    const { overload, delays, shed, pass, refusedOf } = bench();
    pass(1000);
    expect(refusedOf(100)).toBe(0);
    Object.assign(delays, above);
    pass(600);
    expect(refusedOf(1000)).toBe(500);
    pass(600);
    expect(refusedOf(1000)).toBe(750);
    pass(20_000);
    expect(refusedOf(1000), 'a few are always admitted').toBe(990);
    expect(new Set(shed)).toEqual(new Set([reason]));
    expect(overload.pressures[reason]).toBeGreaterThan(1);
  });

  test('a busy event loop is one', () => {
    const { overload, shed, pass, refusedOf } = bench();
    pass(2000, 500);
    expect(refusedOf(100)).toBeGreaterThan(40);
    expect(new Set(shed)).toEqual(new Set(['event_loop']));
    expect(overload.pressures.event_loop).toBe(2.5);
  });

  test('one long pause is not overload, nor is a delay that is gone in between', () => {
    const { delays, pass, refusedOf } = bench();
    pass(300);
    pass(1, 5000);
    pass(300);
    for (let i = 0; i < 20; i++) {
      delays.subscriptionMs = i % 3 === 0 ? 0 : 4000;
      pass(100);
    }
    expect(refusedOf(100)).toBe(0);
  });

  test('between half of the threshold and the threshold, the share stays', () => {
    const { overload, delays, pass } = bench();
    delays.subscriptionMs = 3000;
    pass(600);
    delays.subscriptionMs = 700;
    pass(600);
    const { share } = overload;
    expect(share).toBeGreaterThan(0.4);
    pass(10_000);
    expect(overload.share).toBe(share);
  });
});

describe('the end', () => {
  test('comes gradually, and each overload is logged once at its beginning and end', () => {
    const { overload, delays, lines, pass, refusedOf } = bench();
    delays.subscriptionMs = 5000;
    pass(5000);
    const refused = refusedOf(100);
    delays.subscriptionMs = 0;
    pass(2000);
    expect(overload.share).toBeGreaterThan(0.5);
    // A relapse belongs to the same overload.
    delays.subscriptionMs = 2000;
    pass(1000);
    delays.subscriptionMs = 0;
    pass(14_000);
    expect(overload.share).toBe(0);
    expect(lines.map(({ event }) => event)).toEqual(['overload_began']);
    pass(6000);
    expect(lines.map(({ event }) => event)).toEqual(['overload_began', 'overload_ended']);
    expect(lines).toEqual([
      expect.objectContaining({ reason: 'subscriptions' }),
      expect.objectContaining({ refused, durationMs: expect.any(Number) }),
    ]);
  });
});

test('turned off, it measures and refuses none', () => {
  const { overload, delays, lines, pass, refusedOf } = bench({ enabled: false });
  delays.subscriptionMs = 60_000;
  pass(10_000);
  expect(overload.pressures.subscriptions).toBe(60);
  expect(refusedOf(100)).toBe(0);
  expect(lines).toEqual([]);
});

describe('in front of a server with a fixed capacity', () => {
  /** Serves `capacity` per second from a queue; returns the admissions served per second, and the longest wait of the last half. */
  function run(load: number, enabled: boolean): { goodput: number; longestWaitMs: number } {
    const { overload, delays, pass } = bench({ enabled });
    const capacity = 1000;
    const timeoutMs = 5000;
    let queue = 0;
    let goodput = 0;
    let longestWaitMs = 0;
    let arrived = 0;
    const steps = 1200;
    for (let step = 0; step < steps; step++) {
      for (arrived += (load * capacity * STEP_MS) / 1000; arrived >= 1; arrived--) if (!overload.refusesNext()) queue++;
      const waitMs = (queue / capacity) * 1000;
      const served = Math.min(queue, (capacity * STEP_MS) / 1000);
      queue -= served;
      // A subscription that takes longer than the timeout has failed when it is served.
      if (step >= steps / 2) {
        if (waitMs < timeoutMs) goodput += served;
        longestWaitMs = Math.max(longestWaitMs, waitMs);
      }
      delays.subscriptionMs = waitMs;
      pass(STEP_MS);
    }
    return { goodput: goodput / ((steps / 2) * STEP_MS), longestWaitMs };
  }

  test.each([1.2, 3, 10, 30])(
    'goodput at %s × capacity is at least four fifths of it, without waits near the timeout',
    load => {
      const { goodput, longestWaitMs } = run(load, true);
      expect(goodput).toBeGreaterThan(0.8);
      expect(longestWaitMs).toBeLessThan(4000);
    },
  );

  test('without it, goodput collapses', () => {
    expect(run(3, false).goodput).toBe(0);
  });
});
