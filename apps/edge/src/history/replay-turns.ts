/** Shares the edge's turns among simultaneous recoveries, so that live messages and Redis get their turn. */

/**
 * The replay of one turn of the event loop, about a millisecond of sending. Without a bound, ten thousand replays ran in a row.
 * Members that had stayed waited for seconds, and unread answers of Redis timed out (tools/results, scenario recovery).
 */
const BYTES_PER_TURN = 262_144;

export class ReplayTurns {
  readonly #waiting: Array<{ readonly bytes: number; readonly go: () => void }> = [];
  #spentBytes = 0;
  #scheduled = false;

  /** `undefined`: the turn has bytes left. Otherwise resolves in a later turn, in the order of the calls. */
  take(bytes: number): Promise<void> | undefined {
    this.#schedule();
    // A turn with bytes left has no waiting replay.
    if (this.#spentBytes < BYTES_PER_TURN) {
      this.#spentBytes += bytes;
      return undefined;
    }
    return new Promise(go => this.#waiting.push({ bytes, go }));
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#nextTurn());
  }

  #nextTurn(): void {
    this.#scheduled = false;
    this.#spentBytes = 0;
    while (this.#spentBytes < BYTES_PER_TURN) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#spentBytes += next.bytes;
      next.go();
    }
    this.#schedule();
  }
}
