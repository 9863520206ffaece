/** Connections that are lost together: what one of them learns about its server is true for all. */

/** A server that stays read-only is not asked for new connections more often. */
const DROP_INTERVAL_MS = 1000;

/** Whether Redis refused a write, or ended a blocking read, because it is a replica. Scripts of Redis 6 wrap the message. */
export function isReadOnlyRefusal(error: unknown): boolean {
  return error instanceof Error && /READONLY|^UNBLOCKED/.test(error.message);
}

interface GroupedConnection {
  /** Ends the connection; it reconnects by itself. */
  drop(): void;
}

/**
 * An old primary that became a replica keeps its connections and takes PUBLISH, but no subscriber receives it. A refused write
 * on one connection therefore drops all: they connect again to the current server of the address.
 */
export class ConnectionGroup {
  readonly #members = new Set<GroupedConnection>();
  readonly #dropListeners: (() => void)[] = [];
  readonly #staysAtReplica: boolean;
  #droppedAtMs = Number.NEGATIVE_INFINITY;
  #readOnly = false;

  constructor({ staysAtReplica }: { readonly staysAtReplica: boolean }) {
    this.#staysAtReplica = staysAtReplica;
  }

  /** Whether the server turned out to be a replica, and no connection has found a primary since. */
  get isReadOnly(): boolean {
    return this.#readOnly;
  }

  add(connection: GroupedConnection): void {
    this.#members.add(connection);
  }

  remove(connection: GroupedConnection): void {
    this.#members.delete(connection);
  }

  /** The listener runs before the connections are dropped. */
  onDrop(listener: () => void): void {
    this.#dropListeners.push(listener);
  }

  /** The server behind the connections is another one, or has other data: all connect again. */
  drop(): void {
    for (const listener of this.#dropListeners) listener();
    // Not within the answer that reported it, and behind the commands that were written before.
    setImmediate(() => {
      for (const connection of this.#members) connection.drop();
    });
  }

  foundPrimary(): void {
    this.#readOnly = false;
  }

  /** The server is a replica. */
  foundReadOnly(): void {
    this.#readOnly = true;
    const now = performance.now();
    if (this.#staysAtReplica || now - this.#droppedAtMs < DROP_INTERVAL_MS) return;
    this.#droppedAtMs = now;
    this.drop();
  }
}
