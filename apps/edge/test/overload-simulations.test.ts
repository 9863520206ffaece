/** Simulated servers and clusters under overload: what they do, and how soon all clients are in. */
import pino from 'pino';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Overload } from '../src/limits/overload.js';
import { bench, OPTIONS, STEP_MS } from './overload-bench.js';

afterEach(() => void vi.restoreAllMocks());

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
    vi.spyOn(Math, 'random').mockImplementation(random);
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
