/** Connections that are lost together: what one of them finds out about its server is true for all. */
import type { Redis } from 'ioredis';

/** A server that stays read-only is not asked for new connections more often. */
const DROP_INTERVAL_MS = 1000;

/** Whether Redis refused a write, or ended a blocking read, because it is a replica. Scripts of Redis 6 wrap the message. */
export function isReadOnlyRefusal(error: unknown): boolean {
  return error instanceof Error && /READONLY|^UNBLOCKED/.test(error.message);
}

/**
 * An old primary that became a replica keeps its connections and takes PUBLISH, but nobody hears it. A refused write on one
 * connection therefore drops all: they connect again to whatever the address means now.
 */
export class ConnectionGroup {
  readonly #members = new Set<Redis>();
  readonly #listeners: (() => void)[] = [];
  #droppedAtMs = Number.NEGATIVE_INFINITY;

  add(redis: Redis): void {
    this.#members.add(redis);
    redis.once('end', () => this.#members.delete(redis));
  }

  /** The listener hears of a server that turned out to be read-only, before the connections are dropped. */
  onReadOnly(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** The server is a replica. */
  foundReadOnly(): void {
    for (const listener of this.#listeners) listener();
    const now = performance.now();
    if (now - this.#droppedAtMs < DROP_INTERVAL_MS) return;
    this.#droppedAtMs = now;
    // Not within the answer that reported it.
    setImmediate(() => {
      for (const redis of this.#members) if (redis.status === 'ready') redis.disconnect(true);
    });
  }
}
