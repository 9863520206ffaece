/** Bounds the publishes of an edge that Redis has not answered, by the rate at which it answers (docs/decisions/0009). */
import type { Config } from '@hubbub/config';
import { LimitExceeded, spreadRetryMs } from './limit-exceeded.js';

export interface PublishWindowOptions extends Pick<Config, 'shedOverload' | 'overloadPublishMs'> {
  /** A clock that never goes back. */
  readonly now?: () => number;
  /** Default: {@link MIN_PUBLISHES_IN_FLIGHT}. */
  readonly minInFlight?: number;
}

/**
 * Always permitted: what a slow Redis (1,000 answers a second) takes within the timeout of a command. With 256, an edge that was
 * itself late refused two of three publishes while Redis was idle (measured).
 */
export const MIN_PUBLISHES_IN_FLIGHT = 4096;
/** The rate is that of the better one of two intervals: a pause does not close the window. */
const INTERVAL_MS = 1000;
/** To read and refuse a frame costs a third of a publish (measured), so the delay grows while more than this share is refused. */
const REFUSALS_PER_ANSWER = 0.25;
/** Each refusal names a random delay between this value and its double. */
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 10_000;

/**
 * Little's law: publishes in flight = answers per second × seconds that each waits. A window of that size keeps Redis busy, and
 * no publish waits longer, whatever is offered. A fixed number would be too small for a fast Redis and too large for a slow one.
 * The delay of the refusals is adjusted each second: clients that keep it offer little more than Redis takes. Nothing else
 * relieves the edge of reading the frames that it refuses.
 */
export class PublishWindow {
  readonly #options: PublishWindowOptions;
  readonly #now: () => number;
  readonly #minInFlight: number;
  #inFlight = 0;
  #answered = 0;
  #refused = 0;
  #retryMs = RETRY_MIN_MS;
  #intervalBeganMs: number;
  #perSecond = 0;
  #lastPerSecond = 0;

  constructor(options: PublishWindowOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#minInFlight = options.minInFlight ?? MIN_PUBLISHES_IN_FLIGHT;
    this.#intervalBeganMs = this.#now();
  }

  /** Publishes that wait for their answer. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Publishes that may wait. */
  get size(): number {
    const perSecond = Math.max(this.#perSecond, this.#lastPerSecond);
    return Math.max(this.#minInFlight, Math.ceil((perSecond * this.#options.overloadPublishMs) / 1000));
  }

  /** @throws {LimitExceeded} `UNAVAILABLE` with a delay, while as many publishes wait as Redis answers in `overloadPublishMs` */
  assertOpen(): void {
    if (this.#inFlight < this.#minInFlight || !this.#options.shedOverload) return;
    this.#measure();
    if (this.#inFlight < this.size) return;
    this.#refused++;
    const retryAfterMs = spreadRetryMs(this.#retryMs, this.#retryMs);
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
    const pressure = this.#refused / Math.max(1, this.#answered) / REFUSALS_PER_ANSWER;
    const growth = Math.min(2, Math.max(pressure, 0.5 ** (passedMs / INTERVAL_MS)));
    this.#retryMs = Math.min(RETRY_MAX_MS, Math.max(RETRY_MIN_MS, this.#retryMs * growth));
    this.#answered = 0;
    this.#refused = 0;
    this.#intervalBeganMs = nowMs;
  }
}
