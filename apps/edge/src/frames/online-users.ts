/** online_users: who is in the room; presence answers it, through the bus. */
import { HubbubError } from '@hubbub/protocol';
import { type FrameAction, memberRoom } from './frame-context.js';

export const onlineUsers: FrameAction = (session, frame, context) => {
  const room = memberRoom(session, frame);
  if (!session.rights.allows(room, 'presence')) {
    throw new HubbubError('FORBIDDEN', 'The token does not allow to see who is here.');
  }
  if (!context.presence.rosterAsked(session, room, frame.id)) {
    throw new HubbubError('UNAVAILABLE', 'Presence cannot be asked now; try again later.');
  }
};
