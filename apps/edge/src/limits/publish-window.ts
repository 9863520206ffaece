/** Bounds the publishes of an edge that Redis has not answered, by the rate at which it answers (docs/decisions/0009). */
import type { Config } from '@hubbub/config';
import { LimitExceeded, spreadRetryMs } from './limit-exceeded.js';

export interface PublishWindowOptions extends Pick<Config, 'shedOverload' | 'overloadPublishMs'> {
  /** A clock that never goes back. */
  readonly now?: () => number;
}

/** Always permitted: enough to find out how fast Redis answers. */
export const MIN_PUBLISHES_IN_FLIGHT = 256;
/** The rate is that of the better one of two intervals: a pause does not close the window. */
const INTERVAL_MS = 1000;
const RETRY_MIN_MS = 500;
const RETRY_SPREAD_MS = 1000;

/**
 * Little's law: publishes in flight = answers per second × seconds that each waits. A window of that size keeps Redis busy, and
 * no publish waits longer, whatever is offered. A fixed number would be too small for a fast Redis and too large for a slow one.
 */
export class PublishWindow {
  readonly #options: PublishWindowOptions;
  readonly #now: () => number;
  #inFlight = 0;
  #answered = 0;
  #intervalBeganMs: number;
  #perSecond = 0;
  #lastPerSecond = 0;

  constructor(options: PublishWindowOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#intervalBeganMs = this.#now();
  }

  /** Publishes that wait for their answer. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Publishes that may wait. */
  get size(): number {
    const perSecond = Math.max(this.#perSecond, this.#lastPerSecond);
    return Math.max(MIN_PUBLISHES_IN_FLIGHT, Math.ceil((perSecond * this.#options.overloadPublishMs) / 1000));
  }

  /** @throws {LimitExceeded} `UNAVAILABLE` with a delay, while as many publishes wait as Redis answers in `overloadPublishMs` */
  assertOpen(): void {
    if (this.#inFlight < MIN_PUBLISHES_IN_FLIGHT || !this.#options.shedOverload) return;
    this.#measure();
    if (this.#inFlight < this.size) return;
    const retryAfterMs = spreadRetryMs(RETRY_MIN_MS, RETRY_SPREAD_MS);
    const message = `Too many publishes of this edge wait for Redis; send again in ${retryAfterMs} ms.`;
    throw new LimitExceeded('publishes_in_flight', 'UNAVAILABLE', message, retryAfterMs);
  }

  /** Counts a publish until it settles. Its failures do not count as answers: a Redis that is away takes nothing. */
  async count<Result>(publish: Promise<Result>): Promise<Result> {
    this.#inFlight++;
    try {
      const result = await publish;
      this.#answered++;
      return result;
    } finally {
      this.#inFlight--;
    }
  }

  #measure(): void {
    const nowMs = this.#now();
    const passedMs = nowMs - this.#intervalBeganMs;
    if (passedMs < INTERVAL_MS) return;
    this.#lastPerSecond = this.#perSecond;
    this.#perSecond = (this.#answered * 1000) / passedMs;
    this.#answered = 0;
    this.#intervalBeganMs = nowMs;
  }
}
