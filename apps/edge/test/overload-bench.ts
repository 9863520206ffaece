/** An `Overload` whose clock and signals a test sets. */
import pino from 'pino';
import { Overload, type OverloadSignal } from '../src/limits/overload.js';

/** Of its samples. */
export const STEP_MS = 100;

export interface Delays {
  subscriptionMs: number;
  unappendedMs: number;
  fill: number;
  lagMs: number;
}

export const OPTIONS = {
  shedOverload: true,
  overloadLoopDelayMs: 200,
  overloadSubscriptionMs: 1000,
  overloadReportMs: 1000,
  overloadReportLogPercent: 50,
  overloadPresenceLagMs: 10_000,
};

export function bench({ enabled = true } = {}) {
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
