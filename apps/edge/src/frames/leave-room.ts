/** leave_room: the session is not a member afterwards, whether it was or not. */
import { type FrameAction, namedRoom } from './frame-context.js';

export const leaveRoom: FrameAction = (session, frame, context) => {
  const room = namedRoom(frame);
  if (session.rooms.has(room)) context.memberships.leave(session, room);
  session.acknowledge(frame, room);
};
