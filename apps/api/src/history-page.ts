/** A page of a room's history, as JSON. */
import type { Backplane, HistoryPage } from '@hubbub/broker';
import { decodeEnvelope, type Frame, isPlainObject, jsonCodec, namespaceOf, toJsonValue } from '@hubbub/protocol';
import { msgpackCodec } from '@hubbub/protocol/msgpack';

export interface HistoryRequest {
  /** Only what follows this offset, the oldest first; without it the newest. */
  readonly since?: number | undefined;
  /** Only what precedes this offset. */
  readonly before?: number | undefined;
  readonly limit: number;
}

export interface RoomHistory {
  readonly room_id: string;
  /** Empty where the room has no history. */
  readonly epoch: string;
  /** Of the newest message. */
  readonly offset: number;
  readonly messages: readonly Frame[];
  readonly more: boolean;
}

/** @throws {HubbubError} `UNAVAILABLE` */
export async function readHistory(
  { history, namespaces }: Pick<Backplane, 'history' | 'namespaces'>,
  room: string,
  { since, before, limit }: HistoryRequest,
): Promise<RoomHistory> {
  const { historySize, historyTtlMs } = await namespaces.lookup(namespaceOf(room));
  if (historySize === 0) return { room_id: room, epoch: '', offset: 0, messages: [], more: false };
  const page = await history.read({
    room,
    ttlMs: historyTtlMs,
    ...(since !== undefined && { after: since }),
    ...(before !== undefined && { before }),
    limit: limit + 1, // One extra entry shows whether there are more.
    from: since === undefined ? 'newest' : 'oldest',
  });
  const extra = Math.max(0, page.entries.length - limit);
  const wanted = since === undefined ? page.entries.slice(extra) : page.entries.slice(0, limit);
  const { epoch, offset } = page;
  return {
    room_id: room,
    epoch,
    offset,
    messages: framesOf({ epoch, offset, entries: wanted }, room),
    more: extra > 0,
  };
}

/** Binary values in their documented form (PROTOCOL.md section 2.3). Malformed entries are left out: they reached no client either. */
function framesOf({ epoch, entries }: HistoryPage, room: string): Frame[] {
  return entries.flatMap(({ offset, envelope }) => {
    const decoded = decodeEnvelope(envelope);
    if (decoded?.epoch !== epoch) return [];
    try {
      const codec = decoded.encoding === 'json' ? jsonCodec : msgpackCodec;
      const frame = toJsonValue(codec.decode(decoded.body));
      return isPlainObject(frame) && typeof frame.type === 'string'
        ? [{ room, epoch, offset, ...frame, type: frame.type }]
        : [];
    } catch {
      return []; // Not JSON, or not MessagePack.
    }
  });
}
