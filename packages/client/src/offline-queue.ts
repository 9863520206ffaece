/** Frames that cannot go out yet, in their order and up to a bound. */

/** An item that can wait; `order` is its place. */
export interface Queued {
  readonly order: number;
}

export class OfflineQueue<Item extends Queued> {
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

  /** Puts items back in their old places, even beyond the bound: they were accepted before. */
  putBack(items: readonly Item[]): void {
    this.#items = [...items, ...this.#items].sort((a, b) => a.order - b.order);
  }

  count(matches: (item: Item) => boolean): number {
    return this.#items.filter(matches).length;
  }

  /** Takes out the first that matches. */
  takeFirst(matches: (item: Item) => boolean): Item | undefined {
    const index = this.#items.findIndex(matches);
    return index < 0 ? undefined : this.#items.splice(index, 1)[0];
  }

  /** Takes out what matches, in order. */
  take(matches: (item: Item) => boolean): Item[] {
    const taken = this.#items.filter(matches);
    this.#items = this.#items.filter(item => !matches(item));
    return taken;
  }
}
