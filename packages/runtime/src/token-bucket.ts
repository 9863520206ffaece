/** A token bucket: a rate per second on average, and a burst. */

export interface Rate {
  readonly perSecond: number;
  /** At least 1. */
  readonly burst: number;
}

const PROMISE_MAX_MS = 30_000;

/** RFC 2698's meter with one rate, without a timer. */
export class TokenBucket {
  #perMs: number;
  #burst: number;
  #tokens: number;
  #atMs: number;
  #promisedUntilMs = Number.NEGATIVE_INFINITY;

  /** @param nowMs of a clock that never goes back, as `performance.now()` @param tokens in it; default: it is full */
  constructor({ perSecond, burst }: Rate, nowMs: number, tokens = burst) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#tokens = tokens;
    this.#atMs = nowMs;
  }

  /** From now on, tokens come at another rate. Those in the bucket stay, up to the new burst. */
  changeRate({ perSecond, burst }: Rate, nowMs: number): void {
    this.#refill(nowMs);
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#tokens = Math.min(this.#tokens, burst);
  }

  /** Milliseconds until there is a token; 0 when there is one. Takes none. */
  waitMs(nowMs: number): number {
    this.#refill(nowMs);
    return this.#tokens >= 1 ? 0 : (1 - this.#tokens) / this.#perMs;
  }

  /**
   * Milliseconds after which a request that is refused now may come. Each refusal is promised a token of its own, within `maxMs`.
   * Further ones get a random time up to twice as long.
   */
  promiseMs(nowMs: number, maxMs = PROMISE_MAX_MS): number {
    const dueMs = Math.max(nowMs + this.waitMs(nowMs), this.#promisedUntilMs + 1 / this.#perMs);
    // A client that does not stop would promise itself the next hours.
    if (dueMs - nowMs > maxMs) return maxMs * (1 + Math.random());
    this.#promisedUntilMs = dueMs;
    return dueMs - nowMs;
  }

  /** Takes what was used, also more than there is: then the next one waits until the debt is paid. */
  take(amount = 1): void {
    this.#tokens -= amount;
  }

  /** Tokens that are there; below 0 where more was taken. */
  level(nowMs: number): number {
    this.#refill(nowMs);
    return this.#tokens;
  }

  isFull(nowMs: number): boolean {
    return this.level(nowMs) >= this.#burst;
  }

  #refill(nowMs: number): void {
    if (nowMs <= this.#atMs) return; // A frame that waited brings the time at which it came.
    this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
  }
}
