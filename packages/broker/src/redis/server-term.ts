/** The term of the Redis server behind a connection, which each connection asks for. */
import type { Redis } from 'ioredis';
import type { ConnectionGroup } from './connection-group.js';
import type { Term } from './topology.js';

export class ServerTerm implements Term {
  readonly #redis: Redis;
  readonly #group: ConnectionGroup;
  readonly #listeners: (() => void)[] = [];
  #current = '';
  #last = '';

  /** @param group dropped when the term changes under an open connection */
  constructor(redis: Redis, group: ConnectionGroup) {
    this.#redis = redis;
    this.#group = group;
    const forget = (): void => {
      this.#current = '';
    };
    redis.on('close', forget);
    group.onDrop(forget);
  }

  get current(): string {
    return this.#redis.status === 'ready' ? this.#current : '';
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Asks the server, which may have another term under an open connection. */
  async check(): Promise<void> {
    // Refused, or the connection is broken: the next check or connection asks again.
    const info = await this.#redis.info('replication').catch(() => '');
    const term = termIn(info);
    if (term === '') return;
    if (this.#current !== '' && this.#current !== term) return this.#group.drop();
    this.#current = term;
    if (this.#last === term) return;
    const isFirst = this.#last === '';
    this.#last = term;
    if (!isFirst) for (const listener of this.#listeners) listener();
  }
}

/** @param info the answer to INFO replication. Empty if it names no term. */
export function termIn(info: string): string {
  return /^master_replid:(\w+)/m.exec(info)?.[1] ?? '';
}
