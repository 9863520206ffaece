/** Work in lanes: the items of one lane in their order, one batch at a time; lanes side by side. */
import { pause } from './linked-signal.js';

export interface LaneRules<Item> {
  /** Time that a lane waits for more items before it begins a batch. */
  readonly lingerMs: number;
  /** Ends every linger. */
  readonly closing: AbortSignal;
  /** Returns how many of the waiting items, from the first on, are the next batch: 1 or more. */
  batchSize(waiting: readonly Item[]): number;
  /** Must not reject. */
  work(batch: readonly Item[]): Promise<void>;
}

interface Lane<Item> {
  readonly waiting: Item[];
  done: Promise<void>;
}

export class Lanes<Item> {
  readonly #rules: LaneRules<Item>;
  readonly #lanes = new Map<string, Lane<Item>>();

  constructor(rules: LaneRules<Item>) {
    this.#rules = rules;
  }

  /** Begins the item's batch when the earlier ones of the lane are done. */
  add(name: string, item: Item): void {
    const known = this.#lanes.get(name);
    if (known !== undefined) {
      known.waiting.push(item);
      return;
    }
    const lane: Lane<Item> = { waiting: [item], done: Promise.resolve() };
    this.#lanes.set(name, lane);
    lane.done = this.#workOff(name, lane);
  }

  /** Resolves when everything that was given so far is done. */
  async idle(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map(({ done }) => done));
  }

  async #workOff(name: string, { waiting }: Lane<Item>): Promise<void> {
    const { lingerMs, closing, batchSize, work } = this.#rules;
    while (waiting.length > 0) {
      if (lingerMs > 0) await pause(lingerMs, closing);
      await work(waiting.splice(0, batchSize(waiting)));
    }
    this.#lanes.delete(name);
  }
}
