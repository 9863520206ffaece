/** Bounds the requests in flight to Redis, so that a slow Redis fills no memory, and ends them with `close()`. */
import { HubbubError } from '@hubbub/protocol';

export class Gate {
  readonly #maxPending: number;
  #pending = 0;
  #isClosed = false;

  constructor(maxPending: number) {
    this.#maxPending = maxPending;
  }

  /** Refuses what comes from now on. */
  close(): void {
    this.#isClosed = true;
  }

  /** @throws {HubbubError} `UNAVAILABLE` after `close()`, or when `maxPending` requests wait; whatever `work` throws. */
  async pass<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#isClosed) throw closedError();
    if (this.#pending >= this.#maxPending) {
      throw new HubbubError('UNAVAILABLE', `Redis is behind: ${this.#pending} messages wait for it.`);
    }
    this.#pending++;
    try {
      return await work();
    } finally {
      this.#pending--;
    }
  }
}

export function closedError(): HubbubError {
  return new HubbubError('UNAVAILABLE', 'This Hubbub is closed.');
}
