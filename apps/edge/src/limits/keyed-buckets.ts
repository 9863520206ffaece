/** Token buckets by key: remembered ones, and ones that several holders share. */
import { type Rate, TokenBucket } from '@hubbub/runtime';

/** Of one kind, on one edge: 20 MB at most. Handshakes are limited, so an edge with the default limits stays far below. */
const REMEMBERED_MAX = 100_000;
/** Keys that are checked with each change; more than one change adds, so that full buckets do not pile up. */
const CHECKED_AT_ONCE = 2;

/** Buckets without a holder, by key, until they are full: a reconnect must not refill them (docs/decisions/0003). */
export class RememberedBuckets {
  readonly #rate: Rate;
  readonly #max: number;
  /** In the order of their last check. A user's sessions leave one each. */
  readonly #byKey = new Map<string, TokenBucket[]>();
  /** As empty as the emptiest one that found no place; newcomers begin with no more until it is full again. */
  #overflow: TokenBucket | undefined;
  #size = 0;

  constructor(rate: Rate, max = REMEMBERED_MAX) {
    this.#rate = rate;
    this.#max = max;
  }

  get size(): number {
    return this.#size;
  }

  /** Keys with a bucket. */
  get keys(): number {
    return this.#byKey.size;
  }

  /** A bucket that was remembered for the key, or a new one. */
  take(key: string, nowMs: number): TokenBucket {
    this.#forgetSome(nowMs);
    const buckets = this.#byKey.get(key);
    const bucket = buckets?.pop();
    if (bucket === undefined) return this.create(nowMs);
    this.#size--;
    if (buckets?.length === 0) this.#byKey.delete(key);
    return bucket;
  }

  /** A bucket of a key that is not remembered. */
  create(nowMs: number): TokenBucket {
    if (this.#overflow?.isFull(nowMs) === true) this.#overflow = undefined;
    return new TokenBucket(this.#rate, nowMs, this.#overflow?.level(nowMs));
  }

  put(key: string, bucket: TokenBucket, nowMs: number): void {
    this.#forgetSome(nowMs);
    if (bucket.isFull(nowMs)) return;
    if (this.#size >= this.#max) {
      if (this.#overflow === undefined || bucket.level(nowMs) < this.#overflow.level(nowMs)) this.#overflow = bucket;
      return;
    }
    const buckets = this.#byKey.get(key);
    if (buckets === undefined) this.#byKey.set(key, [bucket]);
    else buckets.push(bucket);
    this.#size++;
  }

  /** Forgets every bucket that is full. */
  forgetFull(nowMs: number): void {
    this.#forgetSome(nowMs, this.#byKey.size);
  }

  #forgetSome(nowMs: number, count = CHECKED_AT_ONCE): void {
    for (const [key, buckets] of this.#byKey) {
      if (count-- <= 0) return;
      const left = buckets.filter(bucket => !bucket.isFull(nowMs));
      this.#size -= buckets.length - left.length;
      this.#byKey.delete(key);
      if (left.length > 0) this.#byKey.set(key, left);
    }
  }
}

interface Shared {
  readonly bucket: TokenBucket;
  holders: number;
}

/** Buckets that all who hold their key share. */
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
