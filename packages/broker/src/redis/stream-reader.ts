/** Reads Redis Streams, and waits for new entries on a connection of its own, because waiting blocks it. */
import type { Redis } from 'ioredis';
import { LOG_START } from '../report-log.js';
import { connected } from './connection.js';
import type { RedisTopology } from './topology.js';
import { orUnavailable } from './unavailable.js';

/** A read that is later than it promised by this time sits on a dead connection. */
const OVERDUE_MS = 3000;
/** The first read waits for its connection. */
const CONNECT_WAIT_MS = 2000;

export interface StreamEntry {
  readonly id: string;
  /** Name, value, name, value, …. */
  readonly fields: readonly string[];
}

export interface StreamReadOptions {
  /** Entries of each stream. */
  readonly limit: number;
  readonly waitMs: number;
}

export class StreamReader {
  readonly #redis: RedisTopology;
  #connection: Redis | undefined;

  constructor(redis: RedisTopology) {
    this.#redis = redis;
  }

  /**
   * Returns entries after the given ids; none when the time is over.
   * @param after stream → id of the last known entry
   * @throws {HubbubError} `UNAVAILABLE`
   */
  async read(
    after: ReadonlyMap<string, string>,
    { limit, waitMs }: StreamReadOptions,
  ): Promise<ReadonlyMap<string, readonly StreamEntry[]>> {
    const [first] = after.keys();
    if (first === undefined) return new Map();
    this.#connection ??= this.#redis.shardOf(first).openReader();
    const connection = this.#connection;
    // BLOCK 0 would wait for ever; without waiting the option is left out.
    const block = waitMs > 0 ? ['BLOCK', Math.ceil(waitMs)] : [];
    const overdue = setTimeout(() => connection.disconnect(true), waitMs + OVERDUE_MS);
    try {
      const reply = await orUnavailable(async () => {
        await connected(connection, CONNECT_WAIT_MS);
        return await connection.call('XREAD', 'COUNT', limit, ...block, 'STREAMS', ...after.keys(), ...after.values());
      });
      return new Map(
        ((reply ?? []) as Reply).map(([stream, entries]) => [stream, entries.map(([id, fields]) => ({ id, fields }))]),
      );
    } finally {
      clearTimeout(overdue);
    }
  }

  /** Ends a pending read. A later one connects again. */
  close(): void {
    this.#connection?.disconnect();
    this.#connection = undefined;
  }
}

/** The id of the newest entry, or of the start of an empty stream. @throws {HubbubError} `UNAVAILABLE` */
export async function newestId(redis: RedisTopology, stream: string): Promise<string> {
  const newest = await orUnavailable(() => redis.run(stream, server => server.xrevrange(stream, '+', '-', 'COUNT', 1)));
  return newest[0]?.[0] ?? LOG_START;
}

type Reply = readonly (readonly [stream: string, entries: readonly (readonly [id: string, fields: string[]])[]])[];
