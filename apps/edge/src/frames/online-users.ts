/** online_users: who is in the room; presence answers it, through the bus. */
import { HubbubError, isPlainObject } from '@hubbub/protocol';
import type { ClientFrame } from '@hubbub/protocol/client-frame';
import { type FrameAction, memberRoom } from './frame-context.js';

export const onlineUsers: FrameAction = (session, frame, context) => {
  const room = memberRoom(session, frame);
  if (!session.rights.allows(room, 'presence')) {
    throw new HubbubError('FORBIDDEN', 'The token does not allow to see who is here.');
  }
  if (!context.presence.rosterAsked(session, room, frame.id, after(frame))) {
    throw new HubbubError('UNAVAILABLE', 'Presence cannot be asked now; try again later.');
  }
};

/** `next` of the page before, where the client wants a following one. */
function after({ payload }: ClientFrame): number | undefined {
  const position = isPlainObject(payload) ? payload.after : undefined;
  if (position === undefined || position === null) return undefined;
  if (typeof position !== 'number' || !Number.isSafeInteger(position) || position < 0) {
    throw new HubbubError('INVALID_PAYLOAD', 'payload.after is what the page before named as next.');
  }
  return position;
}
