/** Reading a room's history page by page. */
import type { AnyEvents, Frame } from '@hubbub/protocol';
import { defined } from './defined.js';
import type { RoomFrame } from './event-types.js';
import { isOffset } from './resume-frames.js';
import { notA } from './wire.js';

/** Which part: offsets, exclusive. Neither: the newest. */
export interface HistoryQuery {
  /** Only messages after this offset. */
  readonly since?: number | undefined;
  /** Only messages before this offset. */
  readonly before?: number | undefined;
  /** Messages at most; the edge gives no more than `history_page_size` (100) whatever is asked. */
  readonly limit?: number | undefined;
}

export interface HistoryPage<Events = AnyEvents> {
  /** Offsets of another epoch mean nothing in this one. */
  readonly epoch: string;
  /** Oldest first, as the members got them. */
  readonly messages: readonly RoomFrame<Events>[];
  /** Whether further messages exist in the direction of the query. */
  readonly more: boolean;
  /** With `more`: the `since` of the next page, or its `before` where the query had no `since`. */
  readonly next?: number;
}

/** @throws {HubbubError} `INVALID_FORMAT` when the answer is malformed. */
export function readHistoryPage<Events>({ payload }: Frame): HistoryPage<Events> {
  const { epoch, messages, more, next } = payload ?? {};
  if (typeof epoch !== 'string' || !Array.isArray(messages)) throw notA('history page');
  return defined({ epoch, messages, more: more === true, next: isOffset(next) ? next : undefined });
}
