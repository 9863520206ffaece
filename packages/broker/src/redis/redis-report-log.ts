/** The report log on Redis Streams. */
import type {
  AppendNumber,
  AppendResult,
  LogAppend,
  LogEntry,
  LogPosition,
  ReadOptions,
  ReportLog,
} from '../report-log.js';
import { RedisScript } from './redis-script.js';
import { partitionKey, REGISTRY_TTL_MS } from './registry-keys.js';
import { newestId, type StreamEntry, StreamReader } from './stream-reader.js';
import type { RedisTopology } from './topology.js';
import { orUnavailable } from './unavailable.js';

/** About 5 MB a partition when full of joins; at 20 entries a second and edge, minutes of absence of presence. */
const DEFAULT_MAX_ENTRIES = 10_000;

const appendScript = new RedisScript(new URL('../../lua/report-append.lua', import.meta.url));

export interface RedisReportLogOptions {
  readonly redis: RedisTopology;
  readonly prefix: string;
  /** Entries of a partition that wait to be applied; above it `append` is refused. Default 10,000. */
  readonly maxEntries?: number;
}

export class RedisReportLog implements ReportLog {
  readonly #redis: RedisTopology;
  readonly #reader: StreamReader;
  readonly #prefix: string;
  readonly #maxEntries: number;

  constructor(options: RedisReportLogOptions) {
    this.#redis = options.redis;
    this.#reader = new StreamReader(options.redis);
    this.#prefix = options.prefix;
    this.#maxEntries = options.maxEntries ?? DEFAULT_MAX_ENTRIES;
  }

  append(entries: readonly LogAppend[], number?: AppendNumber): Promise<readonly AppendResult[]> {
    const texts = new Map<number, string[]>();
    for (const { partition, text } of entries) {
      const ofPartition = texts.get(partition);
      if (ofPartition === undefined) texts.set(partition, [text]);
      else ofPartition.push(text);
    }
    return orUnavailable(() =>
      Promise.all(
        Array.from(texts, async ([partition, ofPartition]) => {
          const keys = [this.#key(partition)];
          if (number !== undefined) keys.push(partitionKey(this.#prefix, partition, `appended:${number.appender}`));
          const args = [this.#maxEntries, REGISTRY_TTL_MS, number?.number ?? 0, ...ofPartition];
          const answer = await appendScript.run(this.#redis, keys, args);
          const [taken, length, oldestAgeMs] = answer as [number, number, number];
          return { partition, taken: taken === 1, fill: length / this.#maxEntries, oldestAgeMs };
        }),
      ),
    );
  }

  async read(
    positions: ReadonlyMap<number, LogPosition>,
    { waitMs, limit }: ReadOptions,
  ): Promise<ReadonlyMap<number, readonly LogEntry[]>> {
    const keys = new Map(Array.from(positions, ([partition, position]) => [this.#key(partition), position]));
    const found = await this.#reader.read(keys, { waitMs, limit });
    return new Map(
      [...positions.keys()].flatMap(partition => {
        const entries = found.get(this.#key(partition));
        return entries === undefined ? [] : [[partition, entries.map(logEntry)] as const];
      }),
    );
  }

  /** Ends a read that waits. */
  close(): void {
    this.#reader.close();
  }

  async trim(partition: number, position: LogPosition): Promise<void> {
    await orUnavailable(() =>
      this.#redis.run(this.#key(partition), server => server.xtrim(this.#key(partition), 'MINID', successor(position))),
    );
  }

  end(partition: number): Promise<LogPosition> {
    return newestId(this.#redis, this.#key(partition));
  }

  #key(partition: number): string {
    return partitionKey(this.#prefix, partition, 'reports');
  }
}

/** A foreign entry without our field becomes an empty text, which the decoder counts as malformed. */
function logEntry({ id, fields }: StreamEntry): LogEntry {
  return { position: id, appendedAtMs: Number.parseInt(id, 10), text: fields[1] ?? '' };
}

/** The stream ID that follows: XTRIM MINID keeps what it names. */
function successor(position: LogPosition): string {
  const dash = position.indexOf('-');
  return `${position.slice(0, dash)}-${Number(position.slice(dash + 1)) + 1}`;
}
