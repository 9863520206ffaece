/** Reads pages of a room's history for clients. */
import { type History, readPage } from '@hubbub/broker';
import { type Namespaces, namespaceSettings } from '@hubbub/config';
import { type Encoding, type Frame, type HistoryAnswer, namespaceOf, toJsonValue } from '@hubbub/protocol';
import { CODECS } from '@hubbub/protocol/msgpack';
import { bodyEncoding } from '@hubbub/protocol/session-encoding';
import type { Session } from '../sessions/session.js';
import type { RecoveryMetrics } from './recovery-metrics.js';
import { isLeftOut, messagesOf, type RoomMessage } from './room-message.js';

export interface PageRequest {
  /** Only what follows this offset. */
  readonly since: number | undefined;
  /** Only what precedes this offset. */
  readonly before: number | undefined;
  readonly limit: number;
  /** The session that asks: messages that services withheld from it are not on its page. */
  readonly session: Pick<Session, 'id' | 'user' | 'encoding'>;
}

export class HistoryReader {
  readonly #history: History;
  readonly #namespaces: Namespaces;
  readonly #metrics: RecoveryMetrics;

  constructor(history: History, namespaces: Namespaces, metrics: RecoveryMetrics) {
    this.#history = history;
    this.#namespaces = namespaces;
    this.#metrics = metrics;
  }

  /** With `since` the oldest that follow, without it the newest. @throws {HubbubError} `UNAVAILABLE` */
  async read(room: string, { since, before, limit, session }: PageRequest): Promise<HistoryAnswer> {
    const { historySize, historyTtlMs } = namespaceSettings(this.#namespaces, namespaceOf(room));
    if (historySize === 0) return { room_id: room, epoch: '', messages: [], more: false };
    this.#metrics.historyRead('page');
    const page = await readPage(this.#history, { room, ttlMs: historyTtlMs, since, before, limit });
    const { epoch, more, next } = page;
    const wanted = messagesOf(page).filter(message => !isLeftOut(session, message));
    return {
      room_id: room,
      epoch,
      messages: wanted.flatMap(message => frameOf(message, room, bodyEncoding(session.encoding))),
      more,
      ...(next !== undefined && { next }),
    };
  }
}

/** Decoded, unlike what is live: it becomes part of another frame. Nothing where the body is malformed. */
function frameOf({ encoding, body, epoch, offset }: RoomMessage, room: string, wanted: Encoding): Frame[] {
  try {
    const value = CODECS[encoding].decode(body);
    if ((value as Frame).type === 'room_offset') return []; // In place of a message that no client may read.
    return [{ room, epoch, offset, ...((wanted === 'json' ? toJsonValue(value) : value) as Frame) }];
  } catch {
    return []; // It was not delivered live either.
  }
}
