/** pusher:signin: the connection joins the room of its user, whom events and a disconnect reach there. */
import { HubbubError, isPlainObject } from '@hubbub/protocol';
import { roomOfChannel, SIGNIN_ID, userChannel } from '@hubbub/protocol/pusher';
import type { Memberships } from '../rooms/memberships.js';
import type { FrameHandler } from '../sessions/receiver.js';
import { connectionOf } from './connections.js';
import { userOf } from './member.js';
import { assertSigned } from './signature.js';

export function handleSignin({
  memberships,
}: {
  readonly memberships: Pick<Memberships, 'join' | 'leave'>;
}): FrameHandler {
  return async (session, { payload }) => {
    const connection = connectionOf(session);
    const { auth, user_data: userData } = isPlainObject(payload) ? payload : {};
    if (typeof userData !== 'string') throw new HubbubError('INVALID_PAYLOAD', 'data.user_data: expected text.');
    assertSigned(connection.app, auth, `${session.id}::user::${userData}`);
    const user = userOf(userData);
    const room = roomOfChannel(connection.app.id, userChannel(user.id));
    if (room === undefined) throw new HubbubError('INVALID_PAYLOAD', 'user_data.id: expected a shorter id.');
    await memberships.join(session, room, { grant: { rights: ['join'] } });
    if (session.closed) return;
    const former = connection.user && roomOfChannel(connection.app.id, userChannel(connection.user.id));
    if (former !== undefined && former !== room && session.rooms.has(former)) memberships.leave(session, former);
    connection.user = user;
    session.acknowledge({ id: SIGNIN_ID }, undefined, { payload: { user_data: userData } });
  };
}
