/** Bounds the handshakes of an edge by the rate at which it takes them, while its event loop is late (docs/decisions/0009). */
import { TokenBucket } from '@hubbub/runtime';

/** The work of an edge since the last adjustment. */
export interface HandshakeWindow {
  /** Lateness of the event loop as a share of its threshold. */
  readonly pressure: number;
  /** Admitted handshakes per second. */
  readonly perSecond: number;
  readonly hasRefused: boolean;
}

/** Above this pressure the rate falls; below the other one it grows; in between it stays. */
const FALLS_ABOVE = 1;
const GROWS_BELOW = 0.5;
/** A late edge admits less than it has just taken, so that it works off what waits. */
const MIN_CUT = 0.05;
const MAX_CUT = 0.3;
/** With each window, as TCP's window grows: slowly, because a rate above the capacity costs lateness. */
const GROWTH = 1.2;
/** With each window, of the rate that edges remember. */
const DECAY = 0.99;
/** They take 4 % of a core. An edge that is still late is late for another reason. */
const MIN_PER_SECOND = 100;
/** Handshakes that arrived during one turn of the event loop come together. */
const BURST_SECONDS = 0.35;
/** `Retry-After` has whole seconds. */
const MIN_RETRY_MS = 1000;
const MAX_RETRY_MS = 10_000;
/** The limit ends after as many windows without a refusal, if the rate is that multiple of what clients ask for. */
const CALM_WINDOWS = 5;
const UNUSED_MULTIPLE = 2;

/**
 * A late event loop has taken as much as it can: that number of handshakes is its capacity. A rate stays right when the load
 * changes; a share of the load would admit too few of the clients that return after a storm.
 */
export class HandshakeRate {
  #perSecond = Number.POSITIVE_INFINITY;
  #calmWindows = 0;
  #recentPerSecond = MIN_PER_SECOND;
  #promisedUntilMs = 0;
  readonly #bucket: TokenBucket;
  readonly #random: () => number;

  /** @param nowMs of a clock that never goes back */
  constructor(nowMs: number, random = Math.random) {
    this.#bucket = new TokenBucket(rateOf(MIN_PER_SECOND), nowMs);
    this.#random = random;
  }

  get isLimited(): boolean {
    return this.#perSecond < Number.POSITIVE_INFINITY;
  }

  /** Counts a handshake, unless it exceeds the rate. */
  permits(nowMs: number): boolean {
    if (!this.isLimited) return true;
    if (this.#bucket.waitMs(nowMs) > 0) return false;
    this.#bucket.take();
    return true;
  }

  /**
   * Milliseconds after which a client that is refused now may return. Each gets a turn of its own, at the best rate of late: while
   * the edge is late, its rate is far below its capacity.
   */
  promiseMs(nowMs: number): number {
    const waitMs = Math.max(0, this.#promisedUntilMs - nowMs) + 1000 / this.#recentPerSecond;
    // A client tries again within this time, however many others wait.
    if (waitMs > MAX_RETRY_MS) return MIN_RETRY_MS + this.#random() * (MAX_RETRY_MS - MIN_RETRY_MS);
    this.#promisedUntilMs = nowMs + waitMs;
    return Math.max(MIN_RETRY_MS, waitMs);
  }

  adjust({ pressure, perSecond, hasRefused }: HandshakeWindow, nowMs: number): void {
    if (pressure > FALLS_ABOVE) {
      const cut = Math.min(MAX_CUT, MIN_CUT + (MAX_CUT - MIN_CUT) * (pressure - FALLS_ABOVE));
      this.#perSecond = Math.max(MIN_PER_SECOND, Math.min(this.#perSecond, perSecond) * (1 - cut));
    } else if (pressure < GROWS_BELOW) this.#perSecond *= GROWTH;
    this.#calmWindows = hasRefused || pressure > FALLS_ABOVE ? 0 : this.#calmWindows + 1;
    if (this.#calmWindows >= CALM_WINDOWS && this.#perSecond >= perSecond * UNUSED_MULTIPLE)
      this.#perSecond = Number.POSITIVE_INFINITY;
    // A window in which nearly all were refused does not show the capacity.
    this.#recentPerSecond = Math.max(perSecond, this.#recentPerSecond * DECAY, MIN_PER_SECOND);
    this.#bucket.changeRate(rateOf(this.isLimited ? this.#perSecond : this.#recentPerSecond), nowMs);
  }
}

function rateOf(perSecond: number) {
  return { perSecond, burst: Math.max(1, perSecond * BURST_SECONDS) };
}
