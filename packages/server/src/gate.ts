/** Bounds the messages in flight to Redis, so that a slow Redis fills no memory. */
import { HubbubError } from '@hubbub/protocol';

export class Gate {
  readonly #maxPending: number;
  #pending = 0;

  constructor(maxPending: number) {
    this.#maxPending = maxPending;
  }

  /** @throws {HubbubError} `UNAVAILABLE` when as many as may be wait already; whatever `work` throws. */
  async pass<Result>(work: () => Promise<Result>): Promise<Result> {
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
