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
/** Between these two pressures the share stays: it rises above the one and falls below the other. */
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
  #admitted = 1;
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
    if (this.#admitted === 1) return false;
    this.#credit += this.#admitted;
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

  /** Multiplicative decrease and slow increase of what is admitted, as TCP does, so that many edges find a balance. */
  #adjust(worst: OverloadSignal, nowMs: number): void {
    const pressure = this.#pressures[worst];
    if (pressure > RISES_ABOVE) {
      this.#reason = worst;
      this.#calmSinceMs = nowMs;
      const cut = Math.min(MAX_CUT, MIN_CUT + (MAX_CUT - MIN_CUT) * (pressure - RISES_ABOVE));
      this.#admitted = Math.max(MIN_ADMITTED, this.#admitted * (1 - cut));
      if (this.#beganAtMs === undefined) this.#begin(nowMs);
      return;
    }
    if (this.#admitted < 1) {
      this.#calmSinceMs = nowMs;
      if (pressure < FALLS_BELOW) this.#admitted = Math.min(1, this.#admitted * GROWTH + GROWTH_STEP);
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

function values(value: number): Values {
  return { event_loop: value, subscriptions: value, reports: value, report_log: value, presence: value };
}

function rounded(pressures: Values): Values {
  return Object.fromEntries(
    Object.entries(pressures).map(([signal, pressure]) => [signal, Math.round(pressure * 100) / 100]),
  ) as Values;
}
