/** leave_room: the session is no longer a member; nothing of the room reaches it after the answer. */
import { HubbubError } from '@hubbub/protocol';
import { type FrameAction, namedRoom } from './frame-context.js';

export const leaveRoom: FrameAction = (session, frame, context) => {
  const room = namedRoom(frame);
  if (!session.rooms.has(room)) throw new HubbubError('NOT_IN_ROOM', 'The session is not in this room.');
  context.memberships.leave(session, room);
  session.acknowledge(frame, room);
};
