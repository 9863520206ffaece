/** Frames that cannot go out yet, in their order and up to a bound. */

export class OfflineQueue<Item> {
  readonly #size: number;
  #items: Item[] = [];

  constructor(size: number) {
    this.#size = size;
  }

  get full(): boolean {
    return this.#items.length >= this.#size;
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  /** In front of the others and beyond the bound: these were let in once already. */
  putBack(items: readonly Item[]): void {
    this.#items.unshift(...items);
  }

  has(matches: (item: Item) => boolean): boolean {
    return this.#items.some(matches);
  }

  /** Takes out what matches, in order. */
  take(matches: (item: Item) => boolean): Item[] {
    const taken = this.#items.filter(matches);
    this.#items = this.#items.filter(item => !taken.includes(item));
    return taken;
  }
}
