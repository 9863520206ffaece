/** One page of a room's history, as clients and back ends ask for it. */
import type { History, HistoryEntry } from './history.js';

export interface PageQuery {
  readonly room: string;
  readonly ttlMs: number;
  /** Only what follows this offset, the oldest first; without it the newest. */
  readonly since?: number | undefined;
  /** Only what precedes this offset. */
  readonly before?: number | undefined;
  /** Entries at most. */
  readonly limit: number;
}

export interface EntryPage {
  readonly epoch: string;
  /** Of the newest envelope. */
  readonly offset: number;
  /** Oldest first. */
  readonly entries: readonly HistoryEntry[];
  /** Whether there are further entries in the direction of the query. */
  readonly more: boolean;
  /** With `more`, unless `limit` is 0: the `since`, or else the `before`, of the next page. */
  readonly next?: number;
}

/** @throws {HubbubError} `UNAVAILABLE` */
export async function readPage(
  history: Pick<History, 'read'>,
  { room, ttlMs, since, before, limit }: PageQuery,
): Promise<EntryPage> {
  const isForward = since !== undefined;
  const { epoch, offset, entries } = await history.read({
    room,
    ttlMs,
    ...(isForward && { after: since }),
    ...(before !== undefined && { before }),
    limit: limit + 1, // One entry beyond the page shows that there are more.
    from: isForward ? 'oldest' : 'newest',
  });
  const extra = Math.max(0, entries.length - limit);
  const page = isForward ? entries.slice(0, limit) : entries.slice(extra);
  const last = page.at(isForward ? -1 : 0);
  return {
    epoch,
    offset,
    entries: page,
    more: extra > 0,
    ...(extra > 0 && last !== undefined && { next: last.offset }),
  };
}
