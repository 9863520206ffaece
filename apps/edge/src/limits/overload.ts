/** Refuses some of the handshakes while this edge, Redis or presence is behind (docs/decisions/0009). */
import type { Config } from '@hubbub/config';
import type { Logger } from '@hubbub/runtime';
import { HandshakeRate } from './handshake-rate.js';

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
/** From nothing to all in 13 s; sooner, refused clients that return together would bring the queue back. */
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
  /** The share that the queues permit. */
  #queuesAdmit = 1;
  /** Fractions of handshakes that may be admitted: the share is exact, without chance. */
  #credit = 0;
  /** The rate that the event loop permits. */
  readonly #rate: HandshakeRate;
  #admitted = 0;
  #refused = 0;
  #share = 0;
  #reason: OverloadSignal = 'event_loop';
  #beganAtMs: number | undefined;
  #calmSinceMs = 0;
  #shed = 0;

  constructor(options: OverloadOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#sampledAtMs = this.#now();
    this.#windowBeganMs = this.#sampledAtMs;
    this.#rate = new HandshakeRate(this.#sampledAtMs);
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
    return this.#share;
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

  /**
   * Asked once for each handshake. Takes well below a microsecond.
   * @returns `undefined` to admit it, else the milliseconds after which the refused client may return
   */
  refuseNext(): number | undefined {
    const nowMs = this.#now();
    if (this.#queuesPermit() && this.#rate.permits(nowMs)) {
      this.#admitted++;
      return undefined;
    }
    this.#refused++;
    this.#shed++;
    this.#options.shedOne(this.#reason);
    return this.#rate.retryAfterMs(nowMs);
  }

  #queuesPermit(): boolean {
    this.#credit += this.#queuesAdmit;
    if (this.#credit < 1) return false;
    this.#credit--;
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
    if (this.#options.shedOverload) this.#adjust(worst, nowMs);
    this.#windowBeganMs = nowMs;
    this.#samples = 0;
    this.#lowest = values(Number.POSITIVE_INFINITY);
    this.#admitted = 0;
    this.#refused = 0;
  }

  #adjust(worst: OverloadSignal, nowMs: number): void {
    const { event_loop: loop, ...queues } = this.#pressures;
    const [admitted, refused] = [this.#admitted, this.#refused];
    this.#rate.adjust(loop, (admitted * 1000) / (nowMs - this.#windowBeganMs), nowMs);
    this.#queuesAdmit = admittedByQueue(this.#queuesAdmit, Math.max(...Object.values(queues)));
    this.#share = Math.max(1 - this.#queuesAdmit, refused / Math.max(1, admitted + refused));
    const isLate = this.#pressures[worst] > 1;
    if (isLate) this.#reason = worst;
    if (isLate || this.#share > 0) {
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

/**
 * In proportion to the queue, as random early detection (RFC 7567) does. A queue sums up what was admitted. Repeated cuts sum up
 * again: they would refuse nearly all until it is empty, and then admit too many.
 */
function admittedByQueue(admitted: number, pressure: number): number {
  const permitted = Math.max(MIN_ADMITTED, 1 - Math.max(0, pressure - 1) / (REFUSES_ALL_AT - 1));
  return Math.min(permitted, admitted * GROWTH + GROWTH_STEP);
}

function values(value: number): Values {
  return { event_loop: value, subscriptions: value, reports: value, report_log: value, presence: value };
}

function rounded(pressures: Values): Values {
  return Object.fromEntries(
    Object.entries(pressures).map(([signal, pressure]) => [signal, Math.round(pressure * 100) / 100]),
  ) as Values;
}
