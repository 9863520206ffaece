/** The history of a room: publishing with an exact position, and reading (docs/decisions/0002). */
import type { Position } from '@hubbub/protocol';

export interface HistoryAppend {
  readonly room: string;
  /** Where the envelope is published. */
  readonly channel: string;
  readonly envelope: Uint8Array;
  /** A repeated key within {@link IDEMPOTENCY_WINDOW_MS} changes nothing. Unset: nothing is remembered. */
  readonly idempotencyKey?: string;
  /** Envelopes that the room remembers. */
  readonly size: number;
  /** Time to live of the history after its last envelope. */
  readonly ttlMs: number;
  /** As in {@link HistoryQuery}. */
  readonly known?: Position | undefined;
}

export interface Appended extends Position {
  /** The key was known: this is the position of the first one, and nothing was published. */
  readonly repeated: boolean;
}

export interface HistoryQuery {
  readonly room: string;
  readonly ttlMs: number;
  /** Only what follows this offset. Default 0. */
  readonly after?: number;
  /** Only what precedes this offset. */
  readonly before?: number;
  /** Entries in the answer; 0 asks for the position alone. */
  readonly limit: number;
  /** Which ones when there are more than `limit`. The answer is oldest first either way. Default `oldest`. */
  readonly from?: 'oldest' | 'newest';
  /** With `from: 'newest'`: envelopes that are larger together are not read at all, see `tooLargeBelow`. */
  readonly maxBytes?: number;
  /**
   * A position that was surely given. If a history of the same epoch does not reach it, a restored Redis has lost its end: it
   * begins a new epoch. Never a position that only a client claims.
   */
  readonly known?: Position;
}

export interface HistoryEntry {
  readonly offset: number;
  /** With its position in the header. */
  readonly envelope: Uint8Array;
}

/** The position is that of the newest envelope, whatever was asked for. */
export interface HistoryPage extends Position {
  readonly entries: readonly HistoryEntry[];
  /** There are no entries because they are larger than `maxBytes`: only those after this offset, or after a later one, fit. */
  readonly tooLargeBelow?: number;
}

/** How long a retry of the same message is recognized. */
export const IDEMPOTENCY_WINDOW_MS = 300_000;

/** The position of a history outlives its envelopes by this factor, so that an expired history differs from a lost one. */
export const POSITION_TTL_FACTOR = 2;

/**
 * The histories of rooms.
 *
 * Guarantees, tested by `test/history-conformance.ts` on every implementation:
 * - **One step.** An envelope is counted, remembered and published, with its position in its header, or none of it.
 * - **Order.** Offsets begin with 1, have no holes, and are the order in which subscribers hear the envelopes. Those of one
 *   appender are in the order of its calls.
 * - **Unknown fate.** When `append` rejects with `OUTCOME_UNKNOWN`, the envelope may or may not have been published, now or a little later: a
 *   retry with the same idempotency key never doubles it.
 * - **Never the same position twice.** After any loss, an epoch and an offset never name another envelope, as
 *   long as the holder of a position passes it (`known`).
 */
export interface History {
  /** @throws {HubbubError} `UNAVAILABLE`: not appended; `OUTCOME_UNKNOWN` */
  append(append: HistoryAppend): Promise<Appended>;

  /** Where nothing was ever appended, the answer begins an epoch. @throws {HubbubError} `UNAVAILABLE` */
  read(query: HistoryQuery): Promise<HistoryPage>;
}
