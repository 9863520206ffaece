/** The share of handshakes that an overloaded edge refuses: gradual, and logged when it begins and ends. */
import { describe, expect, test } from 'vitest';
import type { OverloadSignal } from '../src/limits/overload.js';
import { bench, type Delays, STEP_MS } from './overload-bench.js';

describe('a signal above its threshold', () => {
  test.each<[OverloadSignal, Partial<Delays>, Partial<Delays>]>([
    ['subscriptions', { subscriptionMs: 1500 }, { subscriptionMs: 60_000 }],
    ['reports', { unappendedMs: 1500 }, { unappendedMs: 60_000 }],
    ['report_log', { fill: 0.75 }, { fill: 1 }],
    ['presence', { lagMs: 15_000 }, { lagMs: 60_000 }],
  ])('refuses handshakes in proportion to the queue, and counts them by reason: %s', (reason, above, farAbove) => {
    const { overload, delays, shed, pass, refusedOf } = bench();
    pass(1000);
    expect(refusedOf(100)).toBe(0);
    Object.assign(delays, above);
    pass(20_000);
    expect(refusedOf(1000), 'not more with time').toBe(500);
    Object.assign(delays, farAbove);
    pass(600);
    expect(refusedOf(1000), 'a few are always admitted').toBe(990);
    expect(new Set(shed)).toEqual(new Set([reason]));
    expect(overload.pressures[reason]).toBeGreaterThan(1);
  });

  test('a busy event loop is one', () => {
    const { overload, shed, pass, refusedOf } = bench();
    pass(2000, 500);
    expect(refusedOf(1000)).toBe(900);
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

  test('a late event loop admits a little less than it has just taken, and as much while its lateness is moderate', () => {
    const { refusedOf, pass } = bench();
    /** Admitted handshakes per second of 1,000 offered ones. */
    const admittedIn = (seconds: number, lateMs: number): number => {
      let admitted = 0;
      const turns = Math.round((seconds * 1000) / (STEP_MS + lateMs));
      for (let turn = 0; turn < turns; turn++) {
        admitted += STEP_MS + lateMs - refusedOf(STEP_MS + lateMs);
        pass(STEP_MS, lateMs);
      }
      return admitted / seconds;
    };
    expect(admittedIn(1.2, 300)).toBe(1000);
    const late = admittedIn(1.2, 300);
    expect(late).toBeGreaterThan(400);
    expect(late).toBeLessThan(950);
    const moderate = admittedIn(2, 150);
    expect(Math.abs(admittedIn(10, 150) / moderate - 1), 'the rate stays').toBeLessThan(0.1);
    expect(admittedIn(5, 0), 'an event loop in time admits more').toBeGreaterThan(moderate * 1.2);
  });

  test('an edge that is late for another reason still admits 100 handshakes a second', () => {
    const { refusedOf, pass } = bench();
    for (let turn = 0; turn < 30; turn++) {
      refusedOf(1000);
      pass(STEP_MS, 900);
    }
    expect(1000 - refusedOf(1000)).toBe(100);
  });

  test('turns keep the best rate while an edge is late for another reason', () => {
    const { overload, refusedOf, pass } = bench();
    refusedOf(1000);
    pass(1000);
    for (let turn = 0; turn < 10; turn++) {
      refusedOf(10);
      pass(STEP_MS, 900);
    }
    const delays = Array.from({ length: 600 }, () => overload.refuseNext()).filter(delay => delay !== undefined);
    expect(delays).toHaveLength(500);
    expect(Math.max(...delays), '500 at 100 a second would take 5 s').toBeLessThan(2000);
  });

  test('a late event loop begins an overload, which ends when it is in time and all are admitted', () => {
    const { lines, pass, refusedOf } = bench();
    refusedOf(1000);
    pass(2000, 500);
    expect(lines.map(({ event }) => event)).toEqual(['overload_began']);
    for (let step = 0; step < 60; step++) {
      refusedOf(step < 10 ? 1000 : 1);
      pass(STEP_MS);
    }
    expect(lines.map(({ event }) => event)).toEqual(['overload_began']);
    pass(1000);
    expect(lines.map(({ event }) => event)).toEqual(['overload_began', 'overload_ended']);
  });

  test('refused clients return one after another, at the rate of the edge', () => {
    const { overload, refusedOf, pass } = bench();
    for (let turn = 0; turn < 10; turn++) {
      refusedOf(100);
      pass(STEP_MS, 400);
    }
    const delays = Array.from({ length: 2000 }, () => overload.refuseNext()).filter(delay => delay !== undefined);
    const returnsIn = (second: number): number => delays.filter(ms => Math.ceil(ms / 1000) === second).length;
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(1000);
    const [second, third] = [returnsIn(2), returnsIn(3)];
    expect(second).toBeGreaterThan(50);
    expect(Math.abs(third / second - 1)).toBeLessThan(0.1);
    expect(Math.max(...delays), 'whatever waits').toBeLessThanOrEqual(20_000);
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
    const refusedLater = refusedOf(10);
    expect(refusedLater, 'still more than half').toBeGreaterThan(5);
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
      expect.objectContaining({ refused: refused + refusedLater, durationMs: expect.any(Number) }),
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
