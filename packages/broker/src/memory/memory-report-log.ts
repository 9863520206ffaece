/** The report log of one process, in memory. */
import {
  type AppendNumber,
  type AppendResult,
  LOG_START,
  type LogAppend,
  type LogEntry,
  type LogPosition,
  type ReadOptions,
  type ReportLog,
} from '../report-log.js';

const DEFAULT_MAX_ENTRIES = 10_000;

export interface MemoryReportLogOptions {
  /** Entries of a partition that wait to be applied; above it `append` is refused. Default 10,000. */
  readonly maxEntries?: number;
}

export class MemoryReportLog implements ReportLog {
  readonly #maxEntries: number;
  readonly #partitions = new Map<number, LogEntry[]>();
  /** `<partition> <appender>` → number of its last append. */
  readonly #appended = new Map<string, number>();
  #lastSequence = 0;
  #wake: () => void = () => {};

  constructor(options: MemoryReportLogOptions = {}) {
    this.#maxEntries = options.maxEntries ?? DEFAULT_MAX_ENTRIES;
  }

  async append(entries: readonly LogAppend[], number?: AppendNumber): Promise<readonly AppendResult[]> {
    const results = new Map<number, AppendResult>();
    const repeated = new Set<number>();
    const nowMs = Date.now();
    for (const { partition, text } of entries) {
      const log = this.#log(partition);
      let result = results.get(partition);
      if (result === undefined) {
        const fill = log.length / this.#maxEntries;
        const oldestAgeMs = nowMs - (log[0]?.appendedAtMs ?? nowMs);
        const isRepeated = number !== undefined && this.#isRepeated(partition, number);
        if (isRepeated) repeated.add(partition);
        result = { partition, taken: isRepeated || fill < 1, fill, oldestAgeMs };
        results.set(partition, result);
        if (number !== undefined && result.taken && !isRepeated)
          this.#appended.set(`${partition} ${number.appender}`, number.number);
      }
      if (result.taken && !repeated.has(partition))
        log.push({ position: `${++this.#lastSequence}-0`, appendedAtMs: nowMs, text });
    }
    this.#wake();
    return [...results.values()];
  }

  async read(
    positions: ReadonlyMap<number, LogPosition>,
    { waitMs, limit }: ReadOptions,
  ): Promise<ReadonlyMap<number, readonly LogEntry[]>> {
    const found = this.#after(positions, limit);
    if (found.size > 0 || waitMs <= 0) return found;
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, waitMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = () => {};
    return this.#after(positions, limit);
  }

  #isRepeated(partition: number, { appender, number }: AppendNumber): boolean {
    return (this.#appended.get(`${partition} ${appender}`) ?? 0) >= number;
  }

  async trim(partition: number, position: LogPosition): Promise<void> {
    const log = this.#log(partition);
    const kept = log.findIndex(entry => sequenceOf(entry.position) > sequenceOf(position));
    log.splice(0, kept < 0 ? log.length : kept);
  }

  async end(partition: number): Promise<LogPosition> {
    return this.#log(partition).at(-1)?.position ?? LOG_START;
  }

  #after(positions: ReadonlyMap<number, LogPosition>, limit: number): Map<number, readonly LogEntry[]> {
    const found = new Map<number, readonly LogEntry[]>();
    for (const [partition, position] of positions) {
      const after = sequenceOf(position);
      const log = this.#log(partition);
      const first = log.findIndex(entry => sequenceOf(entry.position) > after);
      if (first >= 0) found.set(partition, log.slice(first, first + limit));
    }
    return found;
  }

  #log(partition: number): LogEntry[] {
    let log = this.#partitions.get(partition);
    if (log === undefined) {
      log = [];
      this.#partitions.set(partition, log);
    }
    return log;
  }
}

function sequenceOf(position: LogPosition): number {
  return position === LOG_START ? 0 : Number.parseInt(position, 10);
}
