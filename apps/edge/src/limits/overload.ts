/** Refuses a share of the handshakes while this edge, Redis or presence is behind (docs/decisions/0009). */
import type { Config } from '@hubbub/config';
import type { Logger } from '@hubbub/runtime';

/** The signals of overload: the values of the labels `signal` and `reason`. */
export const OVERLOAD_SIGNALS = ['event_loop', 'subscriptions', 'reports', 'report_log', 'presence'] as const;
export type OverloadSignal = (typeof OVERLOAD_SIGNALS)[number];

/** The measurements that other parts of the edge give. */
export interface OverloadSources {
  /** Age of the oldest subscription that Redis has not confirmed, milliseconds. */
  subscriptionAgeMs(): number;
  reports(): {
    /** Age of the oldest report that the log has not taken, milliseconds. */
    readonly unappendedMs: number;
    /** Fill of the fullest log; 1 is full. */
    readonly fill: number;
    /** Milliseconds by which presence is behind. */
    readonly lagMs: number;
  };
}

export interface OverloadOptions
  extends Pick<
    Config,
    | 'shedOverload'
    | 'overloadLoopDelayMs'
    | 'overloadSubscriptionMs'
    | 'overloadReportMs'
    | 'overloadReportLogPercent'
    | 'overloadPresenceLagMs'
  > {
  readonly log: Logger;
  shedOne(reason: OverloadSignal): void;
  /** A clock that never goes back. */
  readonly now?: () => number;
}

const SAMPLE_MS = 100;
/** A signal counts by its lowest value in this time: a burst that is worked off in between is not overload (CoDel, RFC 8289). */
const WINDOW_MS = 500;
/** One long pause, such as a garbage collection, is one sample. */
const WINDOW_SAMPLES = 3;
/** Ages and fills are queues. The refused share grows with them: from none at the threshold to all at this multiple of it. */
const REFUSES_ALL_AT = 2;
/** A late event loop is not a queue: the share rises above the one pressure, falls below the other, and stays in between. */
const RISES_ABOVE = 1;
const FALLS_BELOW = 0.5;
/** At twice the threshold or more, half of the handshakes that were admitted are refused with each window. */
const MAX_CUT = 0.5;
const MIN_CUT = 0.1;
/** From nothing to all in 13 s; sooner, refused clients that return together would bring the overload back. */
const GROWTH = 1.05;
const GROWTH_STEP = 0.02;
/** Some are always admitted: without any, most signals would have nothing to measure. */
const MIN_ADMITTED = 0.01;
/** Overload has ended when all were admitted for this time. */
const CALM_MS = 5000;

type Values = Record<OverloadSignal, number>;

export class Overload {
  readonly #options: OverloadOptions;
  readonly #now: () => number;
  readonly #thresholds: Values;
  #sources: OverloadSources | undefined;
  #timer: NodeJS.Timeout | undefined;
  #sampledAtMs: number;
  #windowBeganMs: number;
  #samples = 0;
  #lowest = values(Number.POSITIVE_INFINITY);
  /** Of the last window, as shares of the thresholds. */
  #pressures = values(0);
  /** The shares that the event loop and the queues permit; the smaller one counts. */
  #loopAdmits = 1;
  #queuesAdmit = 1;
  /** Fractions of handshakes that may be admitted: the share is exact, without chance. */
  #credit = 0;
  #reason: OverloadSignal = 'event_loop';
  #beganAtMs: number | undefined;
  #calmSinceMs = 0;
  #shed = 0;

  constructor(options: OverloadOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#sampledAtMs = this.#now();
    this.#windowBeganMs = this.#sampledAtMs;
    this.#thresholds = {
      event_loop: options.overloadLoopDelayMs,
      subscriptions: options.overloadSubscriptionMs,
      reports: options.overloadReportMs,
      report_log: options.overloadReportLogPercent / 100,
      presence: options.overloadPresenceLagMs,
    };
  }

  /** The part of the handshakes that is refused, from 0 to 1. */
  get share(): number {
    return 1 - this.#admitted;
  }

  get #admitted(): number {
    return Math.min(this.#loopAdmits, this.#queuesAdmit);
  }

  /** Each signal as a share of its threshold, in the last window. */
  get pressures(): Readonly<Values> {
    return this.#pressures;
  }

  start(sources: OverloadSources): void {
    this.#sources = sources;
    this.#sampledAtMs = this.#now();
    this.#timer = setInterval(() => this.sample(), SAMPLE_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Asked once for each handshake: whether it is refused. Takes well below a microsecond. */
  refusesNext(): boolean {
    const admitted = this.#admitted;
    if (admitted === 1) return false;
    this.#credit += admitted;
    if (this.#credit >= 1) {
      this.#credit--;
      return false;
    }
    this.#shed++;
    this.#options.shedOne(this.#reason);
    return true;
  }

  /** Measures; the timer calls it every 100 ms. */
  sample(): void {
    const nowMs = this.#now();
    const reports = this.#sources?.reports();
    const measured: Values = {
      event_loop: nowMs - this.#sampledAtMs - SAMPLE_MS,
      subscriptions: this.#sources?.subscriptionAgeMs() ?? 0,
      reports: reports?.unappendedMs ?? 0,
      report_log: reports?.fill ?? 0,
      presence: reports?.lagMs ?? 0,
    };
    this.#sampledAtMs = nowMs;
    for (const signal of OVERLOAD_SIGNALS) this.#lowest[signal] = Math.min(this.#lowest[signal], measured[signal]);
    this.#samples++;
    if (this.#samples < WINDOW_SAMPLES || nowMs - this.#windowBeganMs < WINDOW_MS) return;
    let worst: OverloadSignal = this.#reason;
    for (const signal of OVERLOAD_SIGNALS) {
      this.#pressures[signal] = Math.max(0, this.#lowest[signal]) / this.#thresholds[signal];
      if (this.#pressures[signal] > this.#pressures[worst]) worst = signal;
    }
    this.#windowBeganMs = nowMs;
    this.#samples = 0;
    this.#lowest = values(Number.POSITIVE_INFINITY);
    if (this.#options.shedOverload) this.#adjust(worst, nowMs);
  }

  #adjust(worst: OverloadSignal, nowMs: number): void {
    const { event_loop: loop, ...queues } = this.#pressures;
    this.#loopAdmits = admittedByLoop(this.#loopAdmits, loop);
    this.#queuesAdmit = admittedByQueue(this.#queuesAdmit, Math.max(...Object.values(queues)));
    if (this.#pressures[worst] > RISES_ABOVE) this.#reason = worst;
    if (this.#admitted < 1) {
      this.#calmSinceMs = nowMs;
      if (this.#beganAtMs === undefined) this.#begin(nowMs);
    } else if (nowMs - this.#calmSinceMs >= CALM_MS) this.#end(nowMs);
  }

  #begin(nowMs: number): void {
    this.#beganAtMs = nowMs;
    this.#shed = 0;
    this.#options.log.warn(
      { event: 'overload_began', reason: this.#reason, pressures: rounded(this.#pressures) },
      `overloaded (${this.#reason}): refusing a share of the handshakes`,
    );
  }

  #end(nowMs: number): void {
    if (this.#beganAtMs === undefined) return;
    const durationMs = Math.round(nowMs - this.#beganAtMs);
    this.#beganAtMs = undefined;
    this.#options.log.info(
      { event: 'overload_ended', durationMs, refused: this.#shed },
      `overload ended after ${durationMs} ms; refused ${this.#shed} handshakes`,
    );
  }
}

/** Multiplicative decrease and slow increase, as TCP does: lateness stays the same when load above the capacity rises. */
function admittedByLoop(admitted: number, pressure: number): number {
  if (pressure <= RISES_ABOVE) return pressure < FALLS_BELOW ? grown(admitted) : admitted;
  const cut = Math.min(MAX_CUT, MIN_CUT + (MAX_CUT - MIN_CUT) * (pressure - RISES_ABOVE));
  return Math.max(MIN_ADMITTED, admitted * (1 - cut));
}

/**
 * In proportion to the queue, as random early detection (RFC 7567) does. A queue sums up what was admitted. Repeated cuts sum up
 * again: they would refuse nearly all until it is empty, and then admit too many.
 */
function admittedByQueue(admitted: number, pressure: number): number {
  const permitted = Math.max(MIN_ADMITTED, 1 - Math.max(0, pressure - 1) / (REFUSES_ALL_AT - 1));
  return Math.min(permitted, grown(admitted));
}

function grown(admitted: number): number {
  return Math.min(1, admitted * GROWTH + GROWTH_STEP);
}

function values(value: number): Values {
  return { event_loop: value, subscriptions: value, reports: value, report_log: value, presence: value };
}

function rounded(pressures: Values): Values {
  return Object.fromEntries(
    Object.entries(pressures).map(([signal, pressure]) => [signal, Math.round(pressure * 100) / 100]),
  ) as Values;
}
