/** Waits for a stream to get a new entry, on a connection of its own, because waiting blocks it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { connected } from './connection.js';

/** A wait that is so much later than it promised sits on a dead connection. */
const OVERDUE_MS = 3000;
/** Shortest wait where the connection fails: who asks again does not ask without a pause. */
const TROUBLE_MS = 100;

/** The connection is opened when it is first needed, so that who never waits has none. */
export class StreamBell {
  readonly #open: () => Redis;
  readonly #stream: string;
  #connection: Redis | undefined;
  #closed: () => void = () => {};

  constructor(open: () => Redis, stream: string) {
    this.#open = open;
    this.#stream = stream;
  }

  /**
   * Resolves when there is an entry after `entryId`, when the time is over, or on any trouble: what there is, the caller
   * finds by asking.
   */
  async ringsAfter(entryId: string, waitMs: number): Promise<void> {
    const closed = new Promise<void>(resolve => {
      this.#closed = resolve;
    });
    await Promise.race([this.#wait(entryId, waitMs), closed]);
  }

  async #wait(entryId: string, waitMs: number): Promise<void> {
    this.#connection ??= this.#open();
    const connection = this.#connection;
    const overdue = setTimeout(() => connection.disconnect(true), waitMs + OVERDUE_MS);
    try {
      await connected(connection, waitMs);
      await connection.xread('COUNT', 1, 'BLOCK', Math.max(1, Math.ceil(waitMs)), 'STREAMS', this.#stream, entryId);
    } catch {
      // Closed, or broken and being retried: the caller's next script shows whether Redis answers.
      await sleep(Math.min(TROUBLE_MS, waitMs));
    } finally {
      clearTimeout(overdue);
    }
  }

  /** Ends a wait immediately. A later one opens a connection again. */
  close(): void {
    this.#connection?.disconnect();
    this.#connection = undefined;
    this.#closed();
  }
}
