/** leave_room: the session is not a member afterwards, whether it was or not. */
import type { FrameHandler } from '../sessions/receiver.js';
import { namedRoom } from './frame-fields.js';
import type { FrameParts } from './frame-parts.js';

export function handleLeaveRoom({ memberships }: Pick<FrameParts, 'memberships'>): FrameHandler {
  return (session, frame) => {
    const room = namedRoom(frame);
    if (session.rooms.has(room)) memberships.leave(session, room);
    session.acknowledge(frame, room);
  };
}
