/** Waits for a stream to get a new entry. */
import { setTimeout as sleep } from 'node:timers/promises';
import { StreamReader } from './stream-reader.js';
import type { RedisTopology } from './topology.js';

/** Shortest wait where the connection fails: callers ask again immediately. */
const TROUBLE_MS = 100;

export class StreamBell {
  readonly #reader: StreamReader;
  readonly #stream: string;
  #closed: () => void = () => {};

  constructor(redis: RedisTopology, stream: string) {
    this.#reader = new StreamReader(redis);
    this.#stream = stream;
  }

  /**
   * Resolves when there is an entry after `entryId`, when the time is over, or on any trouble: the caller then asks the log
   * itself.
   */
  async ringsAfter(entryId: string, waitMs: number): Promise<void> {
    const closed = new Promise<void>(resolve => {
      this.#closed = resolve;
    });
    await Promise.race([this.#wait(entryId, waitMs), closed]);
  }

  async #wait(entryId: string, waitMs: number): Promise<void> {
    try {
      await this.#reader.read(new Map([[this.#stream, entryId]]), { limit: 1, waitMs: Math.max(1, waitMs) });
    } catch {
      // Closed, or broken and being retried: the caller's next script shows whether Redis answers.
      await sleep(Math.min(TROUBLE_MS, waitMs));
    }
  }

  /** Ends a wait immediately. */
  close(): void {
    this.#reader.close();
    this.#closed();
  }
}
