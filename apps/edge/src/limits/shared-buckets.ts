/** Token buckets by key, shared by all who hold the key. A bucket that nobody holds is remembered until it is full. */
import { RememberedBuckets } from './remembered-buckets.js';
import type { Rate, TokenBucket } from './token-bucket.js';

interface Shared {
  readonly bucket: TokenBucket;
  holders: number;
}

export class SharedBuckets {
  readonly #held = new Map<string, Shared>();
  readonly #remembered: RememberedBuckets;

  constructor(rate: Rate) {
    this.#remembered = new RememberedBuckets(rate);
  }

  /** Buckets that are held or remembered. */
  size(nowMs: number): number {
    this.#remembered.forgetFull(nowMs);
    return this.#held.size + this.#remembered.size;
  }

  /** The bucket of the key, until it is released as often as it was held. */
  hold(key: string, nowMs: number): TokenBucket {
    let shared = this.#held.get(key);
    if (shared === undefined) {
      shared = { bucket: this.#remembered.take(key, nowMs), holders: 0 };
      this.#held.set(key, shared);
    }
    shared.holders++;
    return shared.bucket;
  }

  release(key: string, nowMs: number): void {
    const shared = this.#held.get(key);
    if (shared === undefined) return;
    shared.holders--;
    if (shared.holders > 0) return;
    this.#held.delete(key);
    this.#remembered.put(key, shared.bucket, nowMs);
  }
}
