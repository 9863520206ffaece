/** history: a page of the room's history. */
import { HubbubError, isPlainObject, type Payload } from '@hubbub/protocol';
import { type FrameAction, isOffset, memberRoom } from './frame-context.js';

export const history: FrameAction = async (session, frame, context) => {
  const room = memberRoom(session, frame);
  if (!session.allows(room, 'history')) {
    throw new HubbubError('FORBIDDEN', 'The token does not allow to read the history.');
  }
  session.cost?.bytesOut.assertLeft(room);
  const payload = isPlainObject(frame.payload) ? frame.payload : {};
  const page = await context.history.read(room, {
    since: offsetOf(payload, 'since'),
    before: offsetOf(payload, 'before'),
    session,
    limit: Math.min(offsetOf(payload, 'limit') ?? Infinity, context.limits.history_page_size),
  });
  const request = { ...(frame.id !== undefined && { id: frame.id }), room };
  const sent = session.answer(request, { type: 'history', payload: { ...page } });
  session.cost?.bytesOut.charge(Buffer.byteLength(sent), room);
};

function offsetOf(payload: Payload, name: 'since' | 'before' | 'limit'): number | undefined {
  const value = payload[name] ?? undefined;
  if (value === undefined || isOffset(value)) return value;
  throw new HubbubError('INVALID_PAYLOAD', `${name} is a whole number.`);
}
