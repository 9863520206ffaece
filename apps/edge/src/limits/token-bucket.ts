/** A token bucket (RFC 2698's meter with one rate): so many a second on average, so many at once. Two numbers, no timer. */

export interface Rate {
  readonly perSecond: number;
  /** At least 1. */
  readonly burst: number;
}

export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #atMs: number;

  /** @param nowMs of a clock that never goes back, as `performance.now()` */
  constructor({ perSecond, burst }: Rate, nowMs: number) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#tokens = burst;
    this.#atMs = nowMs;
  }

  /** Milliseconds until there is a token; 0 when there is one. Takes none. */
  waitMs(nowMs: number): number {
    this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
    return this.#tokens >= 1 ? 0 : (1 - this.#tokens) / this.#perMs;
  }

  /** Takes a token, which `waitMs` said is there. */
  take(): void {
    this.#tokens--;
  }
}
