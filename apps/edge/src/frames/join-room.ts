/** join_room: the session becomes a member; answered when the subscription is confirmed (invariant 3). */
import { isPlainObject, type Payload, type Recovery, type SessionLimits } from '@hubbub/protocol';
import type { AuthorizeJoin } from '../admission/join-authorization.js';
import type { Grant } from '../admission/rights.js';
import { LimitExceeded } from '../limits/limit-exceeded.js';
import type { Memberships } from '../rooms/memberships.js';
import type { FrameHandler } from '../sessions/receiver.js';
import type { Session } from '../sessions/session.js';
import { namedPosition, namedRoom, namedText } from './frame-fields.js';

/**
 * Joins as the payload of a frame asks: resolves when the session is a member and has what follows the position in it.
 * @param roomCount rooms that a session which is not in this one is in, or about to be in
 * @throws {HubbubError} `FORBIDDEN`, `ROOM_LIMIT`, `INVALID_PAYLOAD`, `UNAVAILABLE`, `NOT_IN_ROOM`
 */
export type JoinRoom = (
  session: Session,
  room: string,
  payload: Payload,
  roomCount: number,
) => Promise<Recovery | undefined>;

export interface RoomJoinParts {
  readonly memberships: Pick<Memberships, 'join'>;
  readonly authorizeJoin: AuthorizeJoin;
  readonly limits: Pick<SessionLimits, 'max_rooms'>;
}

export function createRoomJoin({ memberships, authorizeJoin, limits }: RoomJoinParts): JoinRoom {
  /** Members skip authorization; a room token that they bring is verified nevertheless. */
  const authorize = (
    session: Session,
    room: string,
    roomToken: string | undefined,
    roomCount: number,
  ): Grant | undefined | Promise<Grant | undefined> => {
    const isMember = session.rooms.has(room);
    if (isMember && roomToken === undefined) return undefined;
    if (!isMember && roomCount >= limits.max_rooms) {
      throw new LimitExceeded('rooms', 'ROOM_LIMIT', `A session can be in ${limits.max_rooms} rooms; leave one first.`);
    }
    return authorizeJoin(session, room, roomToken);
  };
  return async (session, room, payload, roomCount) => {
    const since = namedPosition(payload);
    if (since !== undefined) session.cost?.bytesOut.assertLeft(room);
    const authorized = authorize(session, room, namedText(payload, 'token'), roomCount);
    // Without a question to the authorizer no await: a member must not leave between the check and the join.
    const grant = authorized instanceof Promise ? await authorized : authorized;
    return memberships.join(session, room, { since, grant });
  };
}

export function handleJoinRoom(joinRoom: JoinRoom): FrameHandler {
  return async (session, frame) => {
    const room = namedRoom(frame);
    const payload = isPlainObject(frame.payload) ? frame.payload : {};
    const recovery = await joinRoom(session, room, payload, session.rooms.size);
    if (session.closed) return;
    session.acknowledge(frame, room, recovery === undefined ? {} : { payload: { ...recovery } });
  };
}
