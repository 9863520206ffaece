/** Executes what services do to rooms and users on every edge: remove members, disconnect users (docs/redis-contract.md). */
import { type Channels, CLOSE_CODES, type CloseCode, type Control } from '@hubbub/protocol';
import { kindOfRoom } from '@hubbub/protocol/pusher';
import type { Conflation } from '../conflation/conflation.js';
import type { EdgeMetrics } from '../metrics.js';
import type { Memberships } from '../rooms/memberships.js';
import type { Session } from '../sessions/session.js';
import type { Sessions } from '../sessions/sessions.js';

export interface RoomControlParts {
  readonly memberships: Pick<Memberships, 'leave'>;
  readonly sessions: Sessions;
  readonly channels: Channels;
  readonly metrics: EdgeMetrics;
  readonly conflation: Pick<Conflation, 'settle'>;
}

/** Disconnects a session. It leaves its rooms first, so that presence grants it no grace. */
export function disconnect(
  session: Session,
  memberships: Pick<Memberships, 'leave'>,
  code: CloseCode,
  reason: string,
): void {
  for (const room of [...session.rooms]) memberships.leave(session, room);
  session.end(code, reason);
}

/** Removes a member from the room and sends it the reason, after what was published before. */
export function removeFromRoom(
  session: Session,
  room: string,
  { removed, reason }: { readonly removed: boolean; readonly reason: string | undefined },
  { memberships, conflation }: Pick<RoomControlParts, 'memberships' | 'conflation'>,
): void {
  conflation.settle(session);
  const payload = { room_id: room, ...(removed && { removed }), ...(reason !== undefined && { reason }) };
  session.send({ type: 'room_closed', room, payload, timestamp: new Date().toISOString() });
  memberships.leave(session, room, { event: 'removed', reason });
}

/**
 * Executes a control from the broker. It affects sessions that are members, or connected, at this moment. It searches all
 * sessions for the members of a room: controls are rare, and a list for each room would cost memory.
 */
export function createRoomControl(parts: RoomControlParts): (channel: string, control: Control) => void {
  const { memberships, sessions, channels, metrics, conflation } = parts;

  function closeRoom(room: string, reason: string | undefined): number {
    const members = [...sessions].filter(session => session.rooms.has(room));
    // Closing the room of a user of the Pusher protocol ends the user's connections.
    const isOfUser = kindOfRoom(room) === '.user';
    for (const session of members) {
      if (isOfUser && session.encoding === 'pusher') {
        disconnect(session, memberships, CLOSE_CODES.KICKED, reason ?? 'disconnected by the app');
      } else removeFromRoom(session, room, { removed: false, reason }, parts);
    }
    return members.length;
  }

  function removeUser(room: string, userId: string, reason: string | undefined): number {
    const members = [...sessions.ofUser(userId)].filter(session => session.rooms.has(room));
    for (const session of members) removeFromRoom(session, room, { removed: true, reason }, parts);
    return members.length;
  }

  function disconnectUser(userId: string, reason: string): number {
    const met = [...sessions.ofUser(userId)].filter(({ state }) => state === 'open');
    for (const session of met) {
      conflation.settle(session);
      disconnect(session, memberships, CLOSE_CODES.KICKED, reason);
    }
    return met.length;
  }

  return (channel, control) => {
    const address = channels.parse(channel);
    let met: number;
    if (address?.kind === 'room' && control.do === 'close_room') met = closeRoom(address.room, control.reason);
    else if (address?.kind === 'room' && control.do === 'remove_user')
      met = removeUser(address.room, control.user, control.reason);
    else if (address?.kind === 'user' && control.do === 'disconnect_user')
      met = disconnectUser(address.userId, control.reason ?? 'disconnected by a service');
    else return metrics.malformedEnvelope(channel);
    metrics.controlled(control.do, met);
  };
}
