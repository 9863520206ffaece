/** The self-probe distinguishes a deaf subscription from a late one. */
import type { Broker } from '@hubbub/broker';
import { decodeEnvelope } from '@hubbub/protocol';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Probe } from '../src/rooms/probe.js';

const INTERVAL_MS = 1000;
const TIMEOUT_MS = 3000;

describe('the self-probe', () => {
  let probe: Probe;
  let sent: number[];
  let rebuilt: number;
  let roundTripsMs: number[];

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance', 'Date'] });
    sent = [];
    rebuilt = 0;
    roundTripsMs = [];
    const broker: Pick<Broker, 'probe' | 'rebuild'> = {
      async probe(_, envelope) {
        sent.push(decodeEnvelope(envelope)?.probe ?? -1);
      },
      async rebuild() {
        rebuilt++;
      },
    };
    let number = 0;
    probe = new Probe(
      broker as Broker,
      { server: 'redis', channel: 'node' },
      {
        nextNumber: () => ++number,
        intervalMs: INTERVAL_MS,
        timeoutMs: TIMEOUT_MS,
        onRoundTrip: ms => roundTripsMs.push(ms),
        onDeaf: () => {},
      },
    );
    probe.start();
  });
  afterEach(() => {
    probe.close();
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  /** Advances time. Each second the pending probes return if `answered`; otherwise other messages may arrive. */
  function seconds(count: number, { answered = false, traffic = false } = {}): void {
    for (let second = 0; second < count; second++) {
      if (traffic) probe.arrived();
      if (answered) {
        probe.arrived();
        probe.heard(sent.at(-1) ?? -1);
      }
      vi.advanceTimersByTime(INTERVAL_MS);
    }
  }

  test('before the first probe returns the edge does not count as hearing', () => {
    expect(probe.hears).toBe(false);
    seconds(1, { answered: true });
    expect(probe.hears).toBe(true);
  });

  test('while probes return, nothing is rebuilt', () => {
    seconds(60, { answered: true });
    expect({ hears: probe.hears, rebuilt }).toEqual({ hears: true, rebuilt: 0 });
  });

  test('silence for the timeout counts as deafness: the edge is not ready, and rebuilds once per timeout', () => {
    seconds(5, { answered: true });
    seconds(3);
    expect({ hears: probe.hears, rebuilt }).toEqual({ hears: false, rebuilt: 1 });
    seconds(3);
    expect(rebuilt).toBe(2);
  });

  test('the silence of an outage does not count against the subscription that was restored after it', () => {
    seconds(5, { answered: true });
    seconds(2);
    probe.restored();
    seconds(2);
    expect(rebuilt).toBe(0);
    seconds(1);
    expect(rebuilt).toBe(1);
  });

  test('a late subscription is not deaf: while anything arrives, the edge hears for four timeouts, and never rebuilds', () => {
    seconds(1, { answered: true });
    seconds(10, { traffic: true });
    expect({ hears: probe.hears, rebuilt }).toEqual({ hears: true, rebuilt: 0 });
    seconds(20, { traffic: true });
    expect({ hears: probe.hears, rebuilt }).toEqual({ hears: false, rebuilt: 0 });
    probe.heard(sent.at(-1) ?? -1);
    expect(probe.hears).toBe(true);
  });

  test('an edge that was late is deaf after one timeout when nothing arrives any more', () => {
    seconds(1, { answered: true });
    seconds(5, { traffic: true });
    expect(probe.hears).toBe(true);
    seconds(1);
    expect(probe.hears).toBe(false);
  });

  test('a process that was stopped does not count its own pause as silence', () => {
    seconds(2, { answered: true });
    const now = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => now() + 60_000);
    vi.advanceTimersToNextTimer();
    expect(rebuilt).toBe(0);
    seconds(3);
    expect(rebuilt).toBe(1);
  });

  test('the round trip of a probe is measured from its own sending', () => {
    vi.advanceTimersByTime(250);
    probe.heard(1);
    expect(roundTripsMs).toEqual([250]);
  });
});
