/** The rooms of one session. Nearly all sessions are in a few, and a `Set` for each would be a tenth of what a connection holds. */

/** Names that are looked through faster than a `Set` finds them, and held in a quarter of its memory. */
const FEW = 8;
const NONE: readonly string[] = [];

export class RoomNames implements Iterable<string> {
  /** `concat` makes it exactly as long as it must be; a list that is pushed to, or spread, makes room for 17. */
  #names: readonly string[] | Set<string> = NONE;

  get size(): number {
    return this.#names instanceof Set ? this.#names.size : this.#names.length;
  }

  has(name: string): boolean {
    return this.#names instanceof Set ? this.#names.has(name) : this.#names.includes(name);
  }

  add(name: string): void {
    if (this.has(name)) return;
    if (this.#names instanceof Set) this.#names.add(name);
    else this.#names = this.#names.length < FEW ? this.#names.concat(name) : new Set([...this.#names, name]);
  }

  delete(name: string): void {
    if (this.#names instanceof Set) this.#names.delete(name);
    else if (this.#names.includes(name)) this.#names = this.#names.filter(other => other !== name);
  }

  clear(): void {
    this.#names = NONE;
  }

  /** In the order in which they were added. Do not add or delete meanwhile: go through a copy. */
  [Symbol.iterator](): Iterator<string> {
    return this.#names[Symbol.iterator]();
  }
}
