/**
 * Messages of rooms with history, live or read. Some a session must not read: types that only the cluster may send
 * (PROTOCOL.md section 7.1), and those that a service withholds from it. A `room_offset` replaces those with an offset, because
 * a hole would look like a loss.
 */
import type { HistoryEntry, HistoryPage } from '@hubbub/broker';
import {
  decodeEnvelope,
  type Encoding,
  type Envelope,
  type Frame,
  isForgedType,
  jsonCodec,
  type MessageTarget,
  type Position,
  peekType,
} from '@hubbub/protocol';
import { CODECS } from '@hubbub/protocol/msgpack';
import type { Session } from '../sessions/session.js';

/** A message of a room with history, live or read. */
export type RoomMessage = Envelope & Position;

/** A message, or (with an empty body) an entry of the history that cannot be read. */
export type KeptMessage = Position &
  Pick<Envelope, 'encoding' | 'body' | 'excludeSession' | 'excludeUser' | 'notifyExcluded'>;

/** The messages of a page, without entries that are not envelopes. */
export function messagesOf(page: Pick<HistoryPage, 'epoch' | 'entries'>): RoomMessage[] {
  return page.entries.flatMap(entry => messageOf(entry, page) ?? []);
}

const NO_BODY = new Uint8Array(0);

/** All entries of a page: one that is not an envelope keeps its place, so that there is no hole. */
export function keptMessagesOf(page: HistoryPage): KeptMessage[] {
  const { epoch } = page;
  return page.entries.map(
    entry => messageOf(entry, page) ?? { epoch, offset: entry.offset, encoding: 'json', body: NO_BODY },
  );
}

/** In the epoch of the page, whichever one the envelope was published in: the history continues behind its bridges. */
function messageOf({ envelope, offset }: HistoryEntry, { epoch }: Pick<Position, 'epoch'>): RoomMessage | undefined {
  const decoded = decodeEnvelope(envelope);
  return decoded && replaceForgedMessage({ ...decoded, epoch, offset });
}

type Exclusion = Pick<Envelope, 'excludeSession' | 'excludeUser' | 'notifyExcluded'>;

/** Whether a service left this session or its user out. A sender is not: its `ack` names the offset. */
export function isLeftOut(session: Pick<Session, 'id' | 'user'>, exclusion: Exclusion): boolean {
  if (exclusion.excludeUser !== undefined && exclusion.excludeUser === session.user.id) return true;
  return exclusion.notifyExcluded === true && exclusion.excludeSession === session.id;
}

export function roomOffsetFrame(room: string, { epoch, offset }: Position, previousEpoch?: string): Frame {
  const payload = previousEpoch === undefined ? {} : { payload: { previous_epoch: previousEpoch } };
  return { type: 'room_offset', room, epoch, offset, ...payload, timestamp: new Date().toISOString() };
}

interface EncodedFrame {
  readonly encoding: Encoding;
  readonly body: Uint8Array;
}

const NOTHING = jsonCodec.encode({ type: 'room_offset' });

/**
 * Whether another program put a reserved frame into an envelope. Costs a look at the first bytes: Hubbub's encoders write
 * `type` first, and only a body that begins otherwise is decoded.
 */
export function isForged({ encoding, body }: EncodedFrame, target: MessageTarget): boolean {
  const type = peekType(encoding, body) ?? decodedType(encoding, body);
  return type !== undefined && isForgedType(type, target);
}

/** The message of a history, with nothing in place of a forged frame. */
export function replaceForgedMessage<Message extends EncodedFrame>(message: Message): Message {
  return isForged(message, 'audience') ? { ...message, encoding: 'json', body: NOTHING } : message;
}

function decodedType(encoding: Encoding, body: Uint8Array): string | undefined {
  try {
    const { type } = CODECS[encoding].decode(body) as Partial<Frame>;
    return typeof type === 'string' ? type : undefined;
  } catch {
    return undefined; // Malformed: found where the frame is made.
  }
}
