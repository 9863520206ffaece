/** The log between edges and presence: reports by partition, in order, until they are applied. */

/** A place in a partition's log, opaque; `LOG_START` is before the first entry. */
export type LogPosition = string;
export const LOG_START: LogPosition = '0-0';

export interface LogEntry {
  readonly position: LogPosition;
  /** When the log took it, in milliseconds since 1970 on the log's clock. */
  readonly appendedAtMs: number;
  readonly text: string;
}

export interface LogAppend {
  readonly partition: number;
  readonly text: string;
}

/** Names an append, so that it can be repeated when its outcome is unknown. */
export interface AppendNumber {
  /** Unique; such as the incarnation of an edge. */
  readonly appender: string;
  /** Higher with each append. Repeat an append with the same entries. */
  readonly number: number;
}

/** The log of a partition, as an append found it. */
export interface AppendResult {
  readonly partition: number;
  /** False: the log is full, and took none of the entries of this call. */
  readonly taken: boolean;
  /** Entries that presence has not removed, as a share of the most that the log holds: 1 is full. */
  readonly fill: number;
  /** Age of the oldest entry in milliseconds, on the log's clock; 0 when there was none. */
  readonly oldestAgeMs: number;
}

export interface ReadOptions {
  /** How long to wait when there is nothing; 0 answers immediately. */
  readonly waitMs: number;
  /** Entries of one partition in one answer. */
  readonly limit: number;
}

/**
 * Appends reports and reads them again.
 *
 * Guarantees, tested by `test/report-log-conformance.ts` on every implementation:
 * - **Order.** Entries of a partition have one order; those of one appender are in the order of its calls.
 * - **No holes.** An entry that was taken stays until `trim`. A log that is full refuses; it never forgets what it took.
 *   (A whole log expires only after minutes without an append; presence notices, docs/decisions/0001.)
 * - **Unknown fate.** When `append` rejects, its entries may or may not have been taken, now or a little later.
 * - **Once.** A partition takes a numbered append once, however often and late it arrives, and none with a lower number.
 */
export interface ReportLog {
  /**
   * Resolves with one result for each partition of the entries. A partition takes all of its entries or none.
   * @param number makes it safe to repeat
   * @throws {HubbubError} `UNAVAILABLE` when the log does not answer.
   */
  append(entries: readonly LogAppend[], number?: AppendNumber): Promise<readonly AppendResult[]>;

  /**
   * The entries after each position, oldest first; partitions without new entries are not in the answer. One read at a
   * time: it may hold its connection for `waitMs`.
   * @throws {HubbubError} `UNAVAILABLE`.
   */
  read(
    positions: ReadonlyMap<number, LogPosition>,
    options: ReadOptions,
  ): Promise<ReadonlyMap<number, readonly LogEntry[]>>;

  /** Forgets the entries up to and including `position`. */
  trim(partition: number, position: LogPosition): Promise<void>;

  /**
   * The position of the newest entry; `LOG_START` when the log is empty.
   * @throws {HubbubError} `UNAVAILABLE`.
   */
  end(partition: number): Promise<LogPosition>;
}

/** The position that comes first in a log. */
export function earlierPosition(a: LogPosition, b: LogPosition): LogPosition {
  return isBefore(a, b) ? a : b;
}

export function laterPosition(a: LogPosition, b: LogPosition): LogPosition {
  return isBefore(a, b) ? b : a;
}

export function isBefore(a: LogPosition, b: LogPosition): boolean {
  const [[aMs = 0, aSequence = 0], [bMs = 0, bSequence = 0]] = [a.split('-').map(Number), b.split('-').map(Number)];
  return aMs < bMs || (aMs === bMs && aSequence < bSequence);
}
