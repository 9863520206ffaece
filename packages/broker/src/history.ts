/** The history of a room: publishing with an exact position, and reading (docs/decisions/0002). */
import { randomBytes } from 'node:crypto';
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
  /** Resolves only when a replica has the envelope. Default false. In memory without a meaning. */
  readonly durable?: boolean | undefined;
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
   * continues in a new epoch. Never a position that only a client claims.
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
  /**
   * How far this epoch contains earlier ones, newest first: their messages up to these positions have the same offsets here.
   * Later messages of those epochs are lost.
   */
  readonly bridges: readonly Position[];
  /** There are no entries because they are larger than `maxBytes`: only those after this offset, or after a later one, fit. */
  readonly tooLargeBelow?: number;
}

/** An append that was acknowledged, and is not in the history any more. */
export interface AcknowledgedLoss {
  readonly room: string;
  /** Of the acknowledged message. */
  readonly epoch: string;
  readonly offset: number;
  /** Messages behind this offset of the epoch are lost. */
  readonly keptOffset: number;
}

/** The position in the epoch of the page; `undefined` when that epoch does not contain it. */
export function locate(
  { epoch, offset }: Position,
  page: Pick<HistoryPage, 'epoch' | 'bridges'>,
): Position | undefined {
  if (epoch === page.epoch) return { epoch, offset };
  const bridge = page.bridges.find(found => found.epoch === epoch);
  return bridge !== undefined && offset <= bridge.offset ? { epoch: page.epoch, offset } : undefined;
}

/** 72 random bits: an epoch never repeats. JSON and Lua need no escape for it. */
export function newEpoch(): string {
  return randomBytes(9).toString('base64url');
}

/** How long a retry of the same message is recognized. */
export const IDEMPOTENCY_WINDOW_MS = 300_000;

/** Earlier epochs that a history remembers. */
export const BRIDGES_MAX = 8;

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
 * - **Durable.** A durable append without a confirming replica rejects with `OUTCOME_UNKNOWN`, after it was published.
 * - **Never the same position twice.** After any loss, an epoch and an offset never name another envelope: the history
 *   continues in a new epoch, with the envelopes that are left.
 */
export interface History {
  /** @throws {HubbubError} `UNAVAILABLE`: not appended; `OUTCOME_UNKNOWN` */
  append(append: HistoryAppend): Promise<Appended>;

  /** Where nothing was ever appended, the answer begins an epoch. @throws {HubbubError} `UNAVAILABLE` */
  read(query: HistoryQuery): Promise<HistoryPage>;
}
