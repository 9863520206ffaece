/** Bounds the handshakes of an edge by the rate at which it takes them, while its event loop is late (docs/decisions/0009). */
import { type Rate, TokenBucket } from '@hubbub/runtime';

/** Above this pressure the limit falls; below the other one it grows; in between it stays. */
const FALLS_ABOVE = 1;
const GROWS_BELOW = 0.5;
/** A late edge admits less than it has just taken, so that it works off what waits. */
const LATE_PART = 0.9;
/** With each window. */
const GROWTH = 1.2;
/** They take 4 % of a core. An edge that is still late is late for another reason. */
const MIN_PER_SECOND = 100;
/** Handshakes that arrived during one turn of the event loop are judged together. */
const BURST_SECONDS = 0.35;
/** Part of the best rate that is left with each window: half of it after 35 s. */
const REMEMBERED_PART = 0.99;
/** `Retry-After` has whole seconds. */
const MIN_RETRY_MS = 1000;
/** A client without a turn within this time tries again at a random moment up to twice as late. */
const MAX_TURN_MS = 10_000;

/**
 * A late event loop has taken as much as it can: that number of handshakes is its capacity. A rate stays right when the load
 * changes; a share of the load would admit too few of the clients that return after a storm.
 */
export class HandshakeRate {
  /** Handshakes per second. */
  #limit = Number.POSITIVE_INFINITY;
  /** Of the last windows. While the edge is late, the limit is far below its capacity. */
  #bestPerSecond = MIN_PER_SECOND;
  readonly #admissions: TokenBucket;
  readonly #turns: TokenBucket;

  /** @param nowMs of a clock that never goes back */
  constructor(nowMs: number) {
    this.#admissions = new TokenBucket(rateOf(this.#limit), nowMs);
    this.#turns = new TokenBucket(rateOf(MIN_PER_SECOND), nowMs);
  }

  /** Counts a handshake, unless it exceeds the limit. */
  permits(nowMs: number): boolean {
    if (this.#admissions.waitMs(nowMs) > 0) return false;
    this.#admissions.take();
    return true;
  }

  /** Milliseconds after which a client that is refused now may return: clients get their turns at the best rate. */
  retryAfterMs(nowMs: number): number {
    return Math.max(MIN_RETRY_MS, this.#turns.promiseMs(nowMs, MAX_TURN_MS));
  }

  /**
   * Called with each window.
   * @param pressure lateness of the event loop as a share of its threshold
   * @param admittedPerSecond handshakes of the window
   */
  adjust(pressure: number, admittedPerSecond: number, nowMs: number): void {
    if (pressure > FALLS_ABOVE) {
      this.#limit = Math.max(MIN_PER_SECOND, Math.min(this.#limit, admittedPerSecond) * LATE_PART);
    } else if (pressure < GROWS_BELOW) this.#limit *= GROWTH;
    this.#bestPerSecond = Math.max(admittedPerSecond, this.#bestPerSecond * REMEMBERED_PART, MIN_PER_SECOND);
    this.#admissions.changeRate(rateOf(this.#limit), nowMs);
    this.#turns.changeRate(rateOf(this.#bestPerSecond), nowMs);
  }
}

function rateOf(perSecond: number): Rate {
  return { perSecond, burst: Math.max(MIN_PER_SECOND, perSecond * BURST_SECONDS) };
}
