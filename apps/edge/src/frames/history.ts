/** history: a page of the room's history. */
import { HubbubError, isPlainObject, type Payload } from '@hubbub/protocol';
import type { FrameHandler } from '../sessions/receiver.js';
import { isOffset, memberRoom } from './frame-fields.js';
import type { FrameParts } from './frame-parts.js';

export function handleHistory({ history, limits }: Pick<FrameParts, 'history' | 'limits'>): FrameHandler {
  return async (session, frame) => {
    const room = memberRoom(session, frame);
    session.assertAllows(room, 'history');
    session.cost?.bytesOut.assertLeft(room);
    const payload = isPlainObject(frame.payload) ? frame.payload : {};
    const page = await history.read(room, {
      since: offsetOf(payload, 'since'),
      before: offsetOf(payload, 'before'),
      session,
      limit: Math.min(offsetOf(payload, 'limit') ?? Infinity, limits.history_page_size),
    });
    const request = { ...(frame.id !== undefined && { id: frame.id }), room };
    const sent = session.answer(request, { type: 'history', payload: { ...page } });
    session.cost?.bytesOut.charge(Buffer.byteLength(sent), room);
  };
}

function offsetOf(payload: Payload, name: 'since' | 'before' | 'limit'): number | undefined {
  const value = payload[name] ?? undefined;
  if (value === undefined || isOffset(value)) return value;
  throw new HubbubError('INVALID_PAYLOAD', `${name} is a whole number.`);
}
