/** What one member has read of one talker's numbered messages: says of each whether it is new, and later what is missing. */

export type Arrival = 'next' | 'late' | 'repeated';

/** Numbers count from 1. Knows nothing of k6. */
export class Ledger {
  /** Number → when it was passed over. */
  readonly #missing = new Map<number, number>();
  #last: number;

  /** @param last the number before the first one that must come */
  constructor(last = 0) {
    this.#last = last;
  }

  get last(): number {
    return this.#last;
  }

  read(number: number, now: number): Arrival {
    if (number <= this.#last) return this.#missing.delete(number) ? 'late' : 'repeated';
    for (let passed = this.#last + 1; passed < number; passed++) this.#missing.set(passed, now);
    this.#last = number;
    return 'next';
  }

  /** Passed over and not come by now. */
  get missing(): number {
    return this.#missing.size;
  }

  /** Gives up what was passed over before `then`, and says how many those are. */
  giveUp(then: number): number {
    let lost = 0;
    for (const [number, passedAt] of this.#missing) {
      if (passedAt > then) break; // They are in the order of time.
      this.#missing.delete(number);
      lost++;
    }
    return lost;
  }
}
