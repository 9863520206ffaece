/** How a session comes into a room, by join_room or by resume: the limit, the rights, then the membership. */
import { HubbubError, type Payload, type Position, type Recovery } from '@hubbub/protocol';
import type { Opened } from '../admission/room-entrance.js';
import { LimitExceeded } from '../limits/limit-exceeded.js';
import type { Session } from '../sessions/session.js';
import { type FrameContext, namedPosition, namedText } from './frame-context.js';

/**
 * Resolves when the session is a member and has been sent what follows the position that the payload names.
 * @param roomCount rooms that a session which is not in this one is in, or about to be in
 * @throws {HubbubError} `FORBIDDEN`, `ROOM_LIMIT`, `INVALID_PAYLOAD`, `UNAVAILABLE`, `NOT_IN_ROOM`
 */
export async function enterRoom(
  session: Session,
  room: string,
  payload: Payload,
  roomCount: number,
  context: FrameContext,
): Promise<Recovery | undefined> {
  const since = namedPosition(payload);
  if (since !== undefined) session.cost?.bytesOut.assertLeft(room);
  const roomToken = namedText(payload, 'token');
  const opened = open(session, room, roomToken, roomCount, context);
  // No await where nobody was asked: between the question whether it is a member and the join nothing may happen.
  const grant = opened instanceof Promise ? await opened : opened;
  const recovery = await joinFrom(session, room, { since, grant }, context);
  // The join was reported before the room token gave the right to show a status.
  if (grant !== undefined && session.status !== undefined) context.presence.statusSet(session);
  return recovery;
}

export interface Joining {
  readonly since: Position | undefined;
  /** The rights of a room token. */
  readonly grant: Opened;
  /** Called when the session is in, before it gets anything of the room. */
  readonly announce?: (recovery: Recovery | undefined) => void;
}

/**
 * Joins; what follows `since` is replayed where the session may read the history.
 * @throws {HubbubError} `UNAVAILABLE`; `NOT_IN_ROOM` if a member was removed in the meantime
 */
export async function joinFrom(
  session: Session,
  room: string,
  { since, grant, announce }: Joining,
  { memberships }: Pick<FrameContext, 'memberships'>,
): Promise<Recovery | undefined> {
  const mayRead = session.allows(room, 'history') || grant?.includes('history') === true;
  const answerOf = (recovery: Recovery | undefined) => (mayRead ? recovery : withoutReplay(recovery, since));
  const recovery = await memberships.join(session, room, {
    since: mayRead ? since : undefined,
    announce: announce && (entered => announce(answerOf(entered))),
  });
  if (!session.closed && !session.rooms.has(room)) {
    throw new HubbubError('NOT_IN_ROOM', 'A service removed the session from the room before the answer.');
  }
  if (grant !== undefined && session.rooms.has(room)) session.grant(room, grant);
  return answerOf(recovery);
}

/** Members skip admission; a room token that they bring is checked nevertheless. */
function open(
  session: Session,
  room: string,
  roomToken: string | undefined,
  roomCount: number,
  { entrance, limits }: FrameContext,
): Opened | Promise<Opened> {
  const isMember = session.rooms.has(room);
  if (isMember && roomToken === undefined) return undefined;
  if (!isMember && roomCount >= limits.max_rooms) {
    throw new LimitExceeded('rooms', 'ROOM_LIMIT', `A session can be in ${limits.max_rooms} rooms; leave one first.`);
  }
  return entrance.open(session, room, roomToken);
}

/** A replay reads the history: without that right a session only gets new messages, and its answer reports that. */
function withoutReplay(recovery: Recovery | undefined, since: Position | undefined): Recovery | undefined {
  if (recovery === undefined || since === undefined) return recovery;
  return { ...recovery, recovered: false, reason: 'no_history' };
}
