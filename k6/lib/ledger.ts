/** Checks the order of one talker's numbered messages at one member, and counts missing ones. */

export type Arrival = 'next' | 'late' | 'repeated';

/** Numbers count from 1. Independent of k6. */
export class Ledger {
  /** Skipped numbers, with the time of the skip. */
  readonly #missing = new Map<number, number>();
  #last: number;

  /** @param last the number before the first expected one */
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

  /** Skipped numbers that have not arrived yet. */
  get missing(): number {
    return this.#missing.size;
  }

  /** Forgets the numbers that were skipped before `then`, and returns their count. */
  giveUp(then: number): number {
    let lost = 0;
    for (const [number, passedAt] of this.#missing) {
      if (passedAt > then) break; // In order of time.
      this.#missing.delete(number);
      lost++;
    }
    return lost;
  }
}
