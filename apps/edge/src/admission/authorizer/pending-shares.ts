/** Divides the limit of pending questions among users, so that no user takes the last places from the others. */

export class PendingShares {
  readonly #max: number;
  readonly #maxOfOne: number;
  readonly #pending = new Map<string, number>();
  #size = 0;

  constructor(max: number, maxOfOne: number) {
    this.#max = max;
    this.#maxOfOne = maxOfOne;
  }

  get size(): number {
    return this.#size;
  }

  /** Users with a place. */
  get askers(): number {
    return this.#pending.size;
  }

  of(asker: string): number {
    return this.#pending.get(asker) ?? 0;
  }

  /**
   * Takes a place, or returns false. An asker holds at most as many places as stay free (dynamic thresholds, Choudhury and
   * Hahne 1998). A hundred greedy askers leave a hundredth of all places to the others.
   */
  take(asker: string): boolean {
    const own = this.of(asker);
    if (own >= this.#maxOfOne || own >= this.#max - this.#size) return false;
    this.#pending.set(asker, own + 1);
    this.#size++;
    return true;
  }

  /** Once for each place that was taken. */
  release(asker: string): void {
    const own = this.of(asker);
    if (own === 0) return;
    if (own === 1) this.#pending.delete(asker);
    else this.#pending.set(asker, own - 1);
    this.#size--;
  }
}
