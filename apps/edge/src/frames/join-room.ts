/** join_room: the session becomes a member; answered when the subscription is confirmed (invariant 3). */
import { isPlainObject } from '@hubbub/protocol';
import { assertMayJoin, type FrameAction, namedPosition, namedRoom } from './frame-context.js';

export const joinRoom: FrameAction = async (session, frame, context) => {
  const room = namedRoom(frame);
  const since = namedPosition(isPlainObject(frame.payload) ? frame.payload : {});
  if (!session.rooms.has(room)) assertMayJoin(session, room, session.rooms.size, context);
  const recovery = await context.memberships.join(session, room, since);
  if (session.closed) return;
  session.acknowledge(frame, room, recovery === undefined ? {} : { payload: { ...recovery } });
};
