/**
 * pusher:signin: the connection joins the room of its user, whom events and a disconnect reach there. Where the app has
 * watchlists, it also joins the room that makes the user online, and watches the users of its list.
 */
import { HubbubError, isPlainObject } from '@hubbub/protocol';
import { onlineRoom, roomOfChannel, SIGNIN_ID, userChannel } from '@hubbub/protocol/pusher';
import type { Grant } from '../admission/rights.js';
import { CALLS_OF_RESUMED_ROOM, CALLS_OF_WATCHED_USER } from '../limits/cost.js';
import type { Memberships } from '../rooms/memberships.js';
import type { FrameHandler } from '../sessions/receiver.js';
import { connectionOf, type PusherConnection } from './connections.js';
import { userOf } from './member.js';
import { assertSigned } from './signature.js';
import type { WatchedRoom, Watchlists } from './watchlists.js';

export interface SigninParts {
  readonly memberships: Pick<Memberships, 'join' | 'leave'>;
  /** `undefined` without an app that has them. */
  readonly watchlists: Pick<Watchlists, 'watch'> | undefined;
}

export function handleSignin({ memberships, watchlists }: SigninParts): FrameHandler {
  return async (session, { payload }) => {
    const connection = connectionOf(session);
    const { auth, user_data: userData } = isPlainObject(payload) ? payload : {};
    if (typeof userData !== 'string') throw new HubbubError('INVALID_PAYLOAD', 'data.user_data: expected text.');
    assertSigned(connection.app, auth, `${session.id}::user::${userData}`);
    const user = userOf(userData);
    const rooms = roomsOf(connection, user.id);
    const watched = watchedRooms(connection, user.watchlist);
    const grant: Grant = { rights: ['join'], member: { user: { id: user.id, name: user.id } } };
    for (const room of rooms) {
      session.cost?.calls.spend(CALLS_OF_RESUMED_ROOM, room);
      await memberships.join(session, room, { grant });
    }
    if (session.closed) return;
    const former = connection.user === undefined ? [] : roomsOf(connection, connection.user.id);
    for (const room of former) if (!rooms.includes(room) && session.rooms.has(room)) memberships.leave(session, room);
    connection.user = user;
    session.acknowledge({ id: SIGNIN_ID }, undefined, { payload: { user_data: userData } });
    const added = watchlists?.watch(session, watched) ?? 0;
    session.cost?.calls.charge(added * CALLS_OF_WATCHED_USER);
  };
}

/** @throws {HubbubError} `INVALID_PAYLOAD` */
function roomsOf({ app }: PusherConnection, userId: string): readonly string[] {
  const room = roomOfChannel(app.id, userChannel(userId));
  const online = app.watchlists ? onlineRoom(app.id, userId) : undefined;
  if (room === undefined || (app.watchlists && online === undefined)) throw tooLong('id');
  return online === undefined ? [room] : [room, online];
}

/** @throws {HubbubError} `INVALID_PAYLOAD` */
function watchedRooms({ app }: PusherConnection, ids: readonly string[]): readonly WatchedRoom[] {
  if (!app.watchlists) return [];
  return ids.map(userId => {
    const room = onlineRoom(app.id, userId);
    if (room === undefined) throw tooLong('watchlist');
    return { userId, room };
  });
}

function tooLong(field: string): HubbubError {
  return new HubbubError('INVALID_PAYLOAD', `user_data.${field}: expected a shorter id.`);
}
