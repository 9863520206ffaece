/** The report log on Redis Streams. */
import type { Redis } from 'ioredis';
import type { LogAppend, LogEntry, LogPosition, ReadOptions, ReportLog } from '../report-log.js';
import { RedisScript } from './redis-script.js';
import { partitionKey, REGISTRY_TTL_MS } from './registry-keys.js';
import { orUnavailable } from './unavailable.js';

/** About 5 MB a partition when full of joins; at 20 entries a second and edge, minutes of absence of presence. */
const DEFAULT_MAX_ENTRIES = 10_000;
/** A read that is so much later than it promised sits on a dead connection. */
const READ_OVERDUE_MS = 3000;

const appendScript = new RedisScript(new URL('../../lua/report-append.lua', import.meta.url));

export interface RedisReportLogOptions {
  /** For appending and trimming. */
  readonly commands: Redis;
  /** For reading only: `read` blocks it. Not needed by those who never read. */
  readonly reader?: Redis;
  readonly prefix: string;
  /** Entries of a partition that wait to be applied; above it `append` is refused. Default 10,000. */
  readonly maxEntries?: number;
}

export class RedisReportLog implements ReportLog {
  readonly #commands: Redis;
  readonly #reader: Redis | undefined;
  readonly #prefix: string;
  readonly #maxEntries: number;

  constructor(options: RedisReportLogOptions) {
    this.#commands = options.commands;
    this.#reader = options.reader;
    this.#prefix = options.prefix;
    this.#maxEntries = options.maxEntries ?? DEFAULT_MAX_ENTRIES;
  }

  async append(entries: readonly LogAppend[]): Promise<readonly number[]> {
    const texts = new Map<number, string[]>();
    for (const { partition, text } of entries) {
      const ofPartition = texts.get(partition);
      if (ofPartition === undefined) texts.set(partition, [text]);
      else ofPartition.push(text);
    }
    const refused: number[] = [];
    await orUnavailable(() =>
      Promise.all(
        Array.from(texts, async ([partition, ofPartition]) => {
          const args = [this.#maxEntries, REGISTRY_TTL_MS, ...ofPartition];
          const taken = await appendScript.run(this.#commands, [this.#key(partition)], args);
          if (taken === 0) refused.push(partition);
        }),
      ),
    );
    return refused;
  }

  async read(
    positions: ReadonlyMap<number, LogPosition>,
    { waitMs, limit }: ReadOptions,
  ): Promise<ReadonlyMap<number, readonly LogEntry[]>> {
    const reader = this.#reader;
    if (reader === undefined) throw new TypeError('This log was opened without a connection for reading.');
    if (positions.size === 0) return new Map();
    const partitions = [...positions.keys()];
    const keys = partitions.map(partition => this.#key(partition));
    // BLOCK 0 would wait for ever; without waiting the option is left out.
    const block = waitMs > 0 ? ['BLOCK', Math.ceil(waitMs)] : [];
    const overdue = setTimeout(() => reader.disconnect(true), waitMs + READ_OVERDUE_MS);
    try {
      const reply = await orUnavailable(() =>
        reader.call('XREAD', 'COUNT', limit, ...block, 'STREAMS', ...keys, ...positions.values()),
      );
      return entriesByPartition(reply as StreamReply | null, keys, partitions);
    } finally {
      clearTimeout(overdue);
    }
  }

  async trim(partition: number, position: LogPosition): Promise<void> {
    await orUnavailable(() => this.#commands.xtrim(this.#key(partition), 'MINID', successor(position)));
  }

  #key(partition: number): string {
    return partitionKey(this.#prefix, partition, 'reports');
  }
}

type StreamReply = ReadonlyArray<
  readonly [key: string, entries: ReadonlyArray<readonly [id: string, fields: string[]]>]
>;

function entriesByPartition(
  reply: StreamReply | null,
  keys: readonly string[],
  partitions: readonly number[],
): Map<number, readonly LogEntry[]> {
  const found = new Map<number, readonly LogEntry[]>();
  for (const [key, entries] of reply ?? []) {
    const partition = partitions[keys.indexOf(key)];
    if (partition === undefined) continue;
    found.set(
      partition,
      // A foreign entry without our field becomes an empty text, which the decoder counts as malformed.
      entries.map(([id, fields]) => ({ position: id, appendedAtMs: Number.parseInt(id, 10), text: fields[1] ?? '' })),
    );
  }
  return found;
}

/** The stream ID that follows: XTRIM MINID keeps what it names. */
function successor(position: LogPosition): string {
  const dash = position.indexOf('-');
  return `${position.slice(0, dash)}-${Number(position.slice(dash + 1)) + 1}`;
}
