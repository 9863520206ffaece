/** Reads Redis Streams, and waits for new entries. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { LOG_START } from '../report-log.js';
import { connected } from './connection.js';
import type { RedisShard, RedisTopology } from './topology.js';
import { orUnavailable } from './unavailable.js';

/** A read that is later than it promised by this time sits on a dead connection. */
const OVERDUE_MS = 3000;
/** The first read waits for its connection. */
const CONNECT_WAIT_MS = 2000;
/** Between two reads of streams that no single command can wait for. */
const POLL_MS = 25;

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
  /** Of the connection. */
  #shard: RedisShard | undefined;
  #closing = new AbortController();

  constructor(redis: RedisTopology) {
    this.#redis = redis;
  }

  /**
   * Returns entries after the given ids; none when the time is over.
   * @param after stream → id of the last known entry
   * @throws {HubbubError} `UNAVAILABLE`
   */
  async read(after: Positions, { limit, waitMs }: StreamReadOptions): Promise<Found> {
    const [first] = after.keys();
    if (first === undefined) return new Map();
    const isTogether = after.size === 1 || (this.#redis.shards.length === 1 && !this.#redis.isSharded);
    return isTogether ? await this.#wait(first, after, { limit, waitMs }) : await this.#poll(after, { limit, waitMs });
  }

  /** Ends a pending read. A later one connects again. */
  close(): void {
    this.#connection?.disconnect();
    this.#connection = undefined;
    this.#closing.abort();
    this.#closing = new AbortController();
  }

  /** On a connection of its own, because waiting blocks it. */
  async #wait(first: string, after: Positions, { limit, waitMs }: StreamReadOptions): Promise<Found> {
    const connection = this.#connectionTo(this.#redis.shardOf(first));
    // BLOCK 0 would wait for ever; without waiting the option is left out.
    const block = waitMs > 0 ? ['BLOCK', Math.ceil(waitMs)] : [];
    const overdue = setTimeout(() => connection.disconnect(true), waitMs + OVERDUE_MS);
    try {
      const reply = await orUnavailable(async () => {
        await connected(connection, CONNECT_WAIT_MS);
        return await connection.call('XREAD', 'COUNT', limit, ...block, 'STREAMS', ...after.keys(), ...after.values());
      });
      return foundIn(reply);
    } finally {
      clearTimeout(overdue);
    }
  }

  /** The slot of a stream can move to another server. */
  #connectionTo(shard: RedisShard): Redis {
    if (this.#shard !== shard) this.#connection?.disconnect();
    if (this.#shard !== shard || this.#connection === undefined) this.#connection = shard.openReader();
    this.#shard = shard;
    return this.#connection;
  }

  /** Streams on several servers, or in several slots: one command cannot read them. */
  async #poll(after: Positions, { limit, waitMs }: StreamReadOptions): Promise<Found> {
    const { signal } = this.#closing;
    const endMs = performance.now() + waitMs;
    for (;;) {
      const replies = await Promise.allSettled(
        Array.from(after, ([stream, id]) =>
          this.#redis.run(stream, server => server.call('XREAD', 'COUNT', limit, 'STREAMS', stream, id)),
        ),
      );
      const answered = replies.flatMap(reply => (reply.status === 'fulfilled' ? [reply.value] : []));
      // A server that is away does not hold up the streams of the others.
      if (answered.length === 0)
        await orUnavailable(() => Promise.reject((replies[0] as PromiseRejectedResult).reason));
      const found = new Map(answered.flatMap(reply => [...foundIn(reply)]));
      const leftMs = endMs - performance.now();
      if (found.size > 0 || leftMs <= 0 || signal.aborted) return found;
      await sleep(Math.min(POLL_MS, leftMs), undefined, { signal }).catch(() => {});
    }
  }
}

/** The id of the newest entry, or of the start of an empty stream. @throws {HubbubError} `UNAVAILABLE` */
export async function newestId(redis: RedisTopology, stream: string): Promise<string> {
  const newest = await orUnavailable(() => redis.run(stream, server => server.xrevrange(stream, '+', '-', 'COUNT', 1)));
  return newest[0]?.[0] ?? LOG_START;
}

type Positions = ReadonlyMap<string, string>;
type Found = ReadonlyMap<string, readonly StreamEntry[]>;

function foundIn(reply: unknown): Found {
  return new Map(
    ((reply ?? []) as Reply).map(([stream, entries]) => [stream, entries.map(([id, fields]) => ({ id, fields }))]),
  );
}

type Reply = readonly (readonly [stream: string, entries: readonly (readonly [id: string, fields: string[]])[]])[];
