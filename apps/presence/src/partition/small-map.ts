/** A map for a few entries: nearly every member and user has one session, and a `Map` costs 200 bytes even then. */

/** From here on a `Map` is faster, and smaller than the rest of its user. */
const MAX_LISTED = 8;

/** As a `Map`: entries keep the order in which they were added. */
export class SmallMap<V> {
  /** Key, value, key, value, …. */
  #entries: (string | V)[] | Map<string, V> = NO_ENTRIES;

  get size(): number {
    return Array.isArray(this.#entries) ? this.#entries.length / 2 : this.#entries.size;
  }

  has(key: string): boolean {
    return Array.isArray(this.#entries) ? this.#at(this.#entries, key) >= 0 : this.#entries.has(key);
  }

  get(key: string): V | undefined {
    const entries = this.#entries;
    if (!Array.isArray(entries)) return entries.get(key);
    const at = this.#at(entries, key);
    return at < 0 ? undefined : (entries[at + 1] as V);
  }

  set(key: string, value: V): void {
    const entries = this.#entries;
    if (!Array.isArray(entries)) {
      entries.set(key, value);
      return;
    }
    const at = this.#at(entries, key);
    if (at >= 0) entries[at + 1] = value;
    else if (this.size < MAX_LISTED)
      this.#entries = entries.length === 0 ? [key, value] : [...entries, key, value]; // Without reserve.
    else this.#entries = new Map(this).set(key, value);
  }

  delete(key: string): boolean {
    const entries = this.#entries;
    if (!Array.isArray(entries)) return entries.delete(key);
    const at = this.#at(entries, key);
    if (at < 0) return false;
    this.#entries = entries.length === 2 ? NO_ENTRIES : entries.toSpliced(at, 2);
    return true;
  }

  *keys(): Generator<string> {
    for (const [key] of this) yield key;
  }

  *values(): Generator<V> {
    for (const [, value] of this) yield value;
  }

  *[Symbol.iterator](): Generator<[string, V]> {
    const entries = this.#entries;
    if (!Array.isArray(entries)) {
      yield* entries;
      return;
    }
    for (let at = 0; at < entries.length; at += 2) yield [entries[at] as string, entries[at + 1] as V];
  }

  #at(entries: readonly (string | V)[], key: string): number {
    for (let at = 0; at < entries.length; at += 2) if (entries[at] === key) return at;
    return -1;
  }
}

const NO_ENTRIES: never[] = [];
