/** Keeps the newest values by key, within a number and an estimate of their bytes. */

export interface NewestOptions {
  readonly maxEntries: number;
  readonly maxBytes: number;
  /** Called for each value that had to make place. */
  readonly onDropped: () => void;
}

interface Kept<Value> {
  readonly value: Value;
  bytes: number;
}

/** About what a key and its place in the map take. */
const PLACE_BYTES = 100;

export class Newest<Value> {
  readonly #options: NewestOptions;
  /** Oldest first. */
  readonly #kept = new Map<string, Kept<Value>>();
  /** One for all drops: a new one would pass over every place that was deleted before. */
  #oldest = this.#kept.keys();
  #bytes = 0;

  constructor(options: NewestOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** Estimated. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Value | undefined {
    return this.#kept.get(key)?.value;
  }

  /** Oldest first. */
  *values(): Iterable<Value> {
    for (const { value } of this.#kept.values()) yield value;
  }

  /** Makes it the newest one. @param bytes that the value takes now */
  put(key: string, value: Value, bytes: number): void {
    this.delete(key);
    const kept = { value, bytes: bytes + PLACE_BYTES + 2 * key.length };
    this.#kept.set(key, kept);
    this.#bytes += kept.bytes;
    this.#dropOldest();
  }

  delete(key: string): void {
    const kept = this.#kept.get(key);
    if (kept === undefined) return;
    this.#kept.delete(key);
    this.#bytes -= kept.bytes;
  }

  #dropOldest(): void {
    const { maxEntries, maxBytes, onDropped } = this.#options;
    while (this.#kept.size > maxEntries || this.#bytes > maxBytes) {
      const { done, value: key } = this.#oldest.next();
      if (done === true) this.#oldest = this.#kept.keys();
      else {
        this.delete(key);
        onDropped();
      }
    }
  }
}
