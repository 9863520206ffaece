/** The share of handshakes that an overloaded edge refuses: gradual, and logged when it begins and ends. */
import pino from 'pino';
import { describe, expect, test } from 'vitest';
import { Overload, type OverloadSignal } from '../src/limits/overload.js';

const STEP_MS = 100;

interface Delays {
  subscriptionMs: number;
  unappendedMs: number;
  fill: number;
  lagMs: number;
}

const OPTIONS = {
  shedOverload: true,
  overloadLoopDelayMs: 200,
  overloadSubscriptionMs: 1000,
  overloadReportMs: 1000,
  overloadReportLogPercent: 50,
  overloadPresenceLagMs: 10_000,
};

function bench({ enabled = true } = {}) {
  const clock = { ms: 0 };
  const delays: Delays = { subscriptionMs: 0, unappendedMs: 0, fill: 0, lagMs: 0 };
  const lines: { event: string; reason?: string; refused?: number }[] = [];
  const shed: OverloadSignal[] = [];
  const overload = new Overload({
    ...OPTIONS,
    shedOverload: enabled,
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
    refusedOf: (count: number) =>
      Array.from({ length: count }, () => overload.refuseNext()).filter(retryMs => retryMs !== undefined).length,
  };
}

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

describe('in front of a server with a fixed capacity', () => {
  const CAPACITY = 1000;
  const SERVED = (CAPACITY * STEP_MS) / 1000;

  /** Serves from a queue; returns the admissions served per second, and the longest wait of the last half. */
  function run(load: number, enabled: boolean): { goodput: number; longestWaitMs: number } {
    const { overload, delays, pass } = bench({ enabled });
    const timeoutMs = 5000;
    let queue = 0;
    let goodput = 0;
    let longestWaitMs = 0;
    let arrived = 0;
    const steps = 1200;
    for (let step = 0; step < steps; step++) {
      for (arrived += load * SERVED; arrived >= 1; arrived--) if (overload.refuseNext() === undefined) queue++;
      const waitMs = (queue / CAPACITY) * 1000;
      const served = Math.min(queue, SERVED);
      queue -= served;
      // A subscription that takes longer than the timeout has failed when it is served.
      if (step >= steps / 2) {
        if (waitMs < timeoutMs) goodput += served;
        longestWaitMs = Math.max(longestWaitMs, waitMs);
      }
      delays.subscriptionMs = waitMs;
      pass(STEP_MS);
    }
    return { goodput: goodput / ((steps / 2) * SERVED), longestWaitMs };
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

describe('beside a presence that gets only the processor time that edges leave', () => {
  /** Microseconds of a handshake, and of the work that presence has with it. */
  const [ADMITTED_US, REFUSED_US, PRESENCE_US] = [250, 70, 60];
  const EDGES_SHARE = 8 / 9;
  const STEP_US = 1000 * STEP_MS;

  /** Returns the seconds until all clients are in and presence knows them, as a multiple of the time that the work takes. */
  function slowdown(count: number): number {
    const { overload, delays, pass } = bench();
    const atStep: number[] = [];
    let outside = count;
    let handshakes = 0;
    let unknown = 0;
    let step = 0;
    for (let busy = true; busy && step < 100_000; step++) {
      const tries = Math.min(outside, 400); // As many as connect simultaneously.
      outside -= tries;
      handshakes += tries + (atStep[step] ?? 0);
      let leftUs = STEP_US;
      while (handshakes > 0 && leftUs > STEP_US * (1 - EDGES_SHARE)) {
        handshakes--;
        const retryMs = overload.refuseNext();
        if (retryMs !== undefined) {
          const returns = step + secondsOf(retryMs) * (1000 / STEP_MS);
          atStep[returns] = (atStep[returns] ?? 0) + 1;
          leftUs -= REFUSED_US;
        } else {
          unknown++;
          leftUs -= ADMITTED_US;
        }
      }
      unknown -= Math.min(unknown, Math.floor(leftUs / PRESENCE_US));
      // Presence removes what it has applied once a second.
      if (step % 10 === 0) delays.lagMs = (unknown * PRESENCE_US) / 1000 / (1 - EDGES_SHARE) + 1000;
      pass(STEP_MS);
      busy = outside + handshakes + unknown > 0 || atStep.some((n, at) => at > step && n > 0);
    }
    return (step * STEP_US) / (count * (ADMITTED_US + PRESENCE_US));
  }

  test.each([20_000, 50_000, 100_000])(
    '%s clients that come together are in after little more than their work takes',
    count => {
      expect(slowdown(count)).toBeLessThan(1.3);
    },
  );
});

describe('in a storm of clients that an edge cannot take together', () => {
  /** Milliseconds of an admitted and of a refused handshake, and handshakes that one turn of the event loop takes. */
  const [ADMITTED_MS, REFUSED_MS, TURN_MAX] = [0.45, 0.075, 1024];

  /** Returns the time until all are in, as a multiple of the time that their work takes. */
  function slowdown({
    clients,
    withinMs,
    freeShare,
  }: {
    clients: number;
    withinMs: number;
    freeShare: number;
  }): number {
    const clock = { ms: 0 };
    const overload = new Overload({ ...OPTIONS, log: pino({ level: 'silent' }), shedOne() {}, now: () => clock.ms });
    const random = randomNumbers(1);
    const arrivals: number[] = [];
    const arriveAt = (ms: number): void => {
      arrivals[Math.ceil(ms)] = (arrivals[Math.ceil(ms)] ?? 0) + 1;
    };
    for (let client = 0; client < clients; client++) arriveAt(random() * withinMs);
    let [outside, waiting, heardMs, sampledMs] = [clients, 0, 0, 0];
    while (outside > 0 && clock.ms < 600_000) {
      for (; heardMs <= clock.ms; heardMs++) waiting += arrivals[heardMs] ?? 0;
      const turn = Math.min(waiting, TURN_MAX);
      waiting -= turn;
      let workMs = 0;
      for (let handshake = 0; handshake < turn; handshake++) {
        const retryMs = overload.refuseNext();
        workMs += retryMs === undefined ? ADMITTED_MS : REFUSED_MS;
        if (retryMs === undefined) outside--;
        else arriveAt(clock.ms + workMs + secondsOf(retryMs) * 1000);
      }
      clock.ms += Math.max(1, workMs / freeShare);
      if (clock.ms - sampledMs < STEP_MS) continue;
      sampledMs = clock.ms;
      overload.sample();
    }
    return clock.ms / Math.max(withinMs, (clients * ADMITTED_MS) / freeShare);
  }

  test.each([
    { clients: 3000, withinMs: 3000, freeShare: 0.5, atMost: 1.01 },
    { clients: 10_000, withinMs: 3000, freeShare: 1, atMost: 1.5 },
    { clients: 10_000, withinMs: 3000, freeShare: 0.5, atMost: 1.5 },
    { clients: 10_000, withinMs: 300, freeShare: 0.5, atMost: 1.5 },
    { clients: 50_000, withinMs: 3000, freeShare: 0.5, atMost: 1.5 },
    { clients: 50_000, withinMs: 30_000, freeShare: 0.5, atMost: 1.5 },
  ])(
    '$clients clients within $withinMs ms, $freeShare of a core: all are in after at most $atMost times their work',
    storm => {
      expect(slowdown(storm)).toBeLessThan(storm.atMost);
    },
  );
});

/** A client gets whole seconds in `Retry-After`. */
function secondsOf(retryMs: number): number {
  return Math.ceil(retryMs / 1000);
}

/** Numbers from 0 to 1 that are the same in each run (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
