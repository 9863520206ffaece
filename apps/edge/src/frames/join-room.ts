/** join_room: the session becomes a member; answered when the subscription is confirmed (invariant 3). */
import { HubbubError } from '@hubbub/protocol';
import { type FrameAction, namedRoom } from './frame-context.js';

export const joinRoom: FrameAction = async (session, frame, context) => {
  const room = namedRoom(frame);
  if (!session.rooms.has(room)) {
    if (!session.rights.allows(room, 'join')) throw new HubbubError('FORBIDDEN', 'The token does not open this room.');
    if (session.rooms.size >= context.limits.max_rooms) {
      throw new HubbubError('ROOM_LIMIT', `A session can be in ${context.limits.max_rooms} rooms; leave one first.`);
    }
    await context.memberships.join(session, room);
  } else {
    context.presence.joined(session, room); // Told who is here once more.
  }
  session.acknowledge(frame, room);
};
