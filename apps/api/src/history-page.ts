/** A page of a room's history, as JSON. */
import { type BrokerClient, type EntryPage, type PageQuery, readPage } from '@hubbub/broker';
import { decodeEnvelope, type Frame, isPlainObject, namespaceOf, toJsonValue } from '@hubbub/protocol';
import { CODECS } from '@hubbub/protocol/msgpack';

export interface RoomHistory {
  readonly room_id: string;
  /** Empty where the room has no history. */
  readonly epoch: string;
  /** Of the newest message. */
  readonly offset: number;
  readonly messages: readonly Frame[];
  readonly more: boolean;
  /** With `more`: where the next page begins, as `since`, or as `before` where the request had no `since`. */
  readonly next?: number;
}

/** @throws {HubbubError} `UNAVAILABLE` */
export async function readHistory(
  { history, namespaces }: Pick<BrokerClient, 'history' | 'namespaces'>,
  room: string,
  { since, before, limit }: Pick<PageQuery, 'since' | 'before' | 'limit'>,
): Promise<RoomHistory> {
  const { historySize, historyTtlMs } = await namespaces.lookup(namespaceOf(room));
  if (historySize === 0) return { room_id: room, epoch: '', offset: 0, messages: [], more: false };
  const { entries, ...page } = await readPage(history, { room, ttlMs: historyTtlMs, since, before, limit });
  return { room_id: room, ...page, messages: framesOf(page.epoch, entries, room) };
}

/** Binary values in their documented form (PROTOCOL.md section 2.3). Malformed entries are left out: they reached no client either. */
function framesOf(epoch: string, entries: EntryPage['entries'], room: string): Frame[] {
  return entries.flatMap(({ offset, envelope }) => {
    const decoded = decodeEnvelope(envelope);
    if (decoded === undefined) return [];
    try {
      const codec = CODECS[decoded.encoding];
      const frame = toJsonValue(codec.decode(decoded.body));
      return isPlainObject(frame) && typeof frame.type === 'string'
        ? [{ room, epoch, offset, ...frame, type: frame.type }]
        : [];
    } catch {
      return []; // Not JSON, or not MessagePack.
    }
  });
}
