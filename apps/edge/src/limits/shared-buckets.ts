/** Token buckets by key, each there only while somebody holds it: a key that nobody uses costs nothing. */
import { type Rate, TokenBucket } from './token-bucket.js';

interface Shared {
  readonly bucket: TokenBucket;
  holders: number;
}

export class SharedBuckets {
  readonly #rate: Rate;
  readonly #shared = new Map<string, Shared>();

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  get size(): number {
    return this.#shared.size;
  }

  /** The bucket of the key, until it is released as often as it was held. */
  hold(key: string, nowMs: number): TokenBucket {
    let shared = this.#shared.get(key);
    if (shared === undefined) {
      shared = { bucket: new TokenBucket(this.#rate, nowMs), holders: 0 };
      this.#shared.set(key, shared);
    }
    shared.holders++;
    return shared.bucket;
  }

  release(key: string): void {
    const shared = this.#shared.get(key);
    if (shared === undefined) return;
    shared.holders--;
    if (shared.holders === 0) this.#shared.delete(key);
  }
}
