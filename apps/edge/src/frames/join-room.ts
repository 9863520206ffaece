/** join_room: the session becomes a member; answered when the subscription is confirmed (invariant 3). */
import { isPlainObject } from '@hubbub/protocol';
import { enterRoom } from './enter-room.js';
import { type FrameAction, namedRoom } from './frame-context.js';

export const joinRoom: FrameAction = async (session, frame, context) => {
  const room = namedRoom(frame);
  const payload = isPlainObject(frame.payload) ? frame.payload : {};
  const recovery = await enterRoom(session, room, payload, session.rooms.size, context);
  if (session.closed) return;
  session.acknowledge(frame, room, recovery === undefined ? {} : { payload: { ...recovery } });
};
