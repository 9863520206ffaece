/** What services do to rooms and users on this edge: members out of a room, users away (PROTOCOL.md section 7.2). */
import { type Channels, CLOSE_CODES, type CloseCode, type Control } from '@hubbub/protocol';
import type { Conflation } from './conflation.js';
import type { Memberships } from './memberships.js';
import type { EdgeMetrics } from './metrics.js';
import type { Session } from './session.js';
import type { Sessions } from './sessions.js';

export interface RoomControlParts {
  readonly memberships: Pick<Memberships, 'leave'>;
  readonly sessions: Sessions;
  readonly channels: Channels;
  readonly metrics: EdgeMetrics;
  readonly conflation: Pick<Conflation, 'settle'>;
}

/** By leaving, and not by the end of the connection: nobody keeps a place warm for who was sent away. */
export function sendAway(
  session: Session,
  memberships: Pick<Memberships, 'leave'>,
  code: CloseCode,
  reason: string,
): void {
  for (const room of [...session.rooms.keys()]) memberships.leave(session, room);
  session.socket.end(code, reason);
}

/**
 * Carries out a control from the bus. It meets those who are in the room, or connected, at this moment: who is still
 * joining comes after it. Sessions are looked for one by one: controls are rare, and a list for each room would not be.
 */
export function createRoomControl(parts: RoomControlParts): (channel: string, control: Control) => void {
  const { memberships, sessions, channels, metrics, conflation } = parts;

  function takeOut(room: string, control: Control, isMeant: (session: Session) => boolean): number {
    const removed = control.do === 'remove_user' && { removed: true };
    const reason = control.reason !== undefined && { reason: control.reason };
    const payload = { room_id: room, ...removed, ...reason };
    const frame = { type: 'room_closed', room, payload, timestamp: new Date().toISOString() };
    let met = 0;
    for (const session of [...sessions]) {
      if (!session.rooms.has(room) || !isMeant(session)) continue;
      met++;
      conflation.settle(session); // What was published before the control comes before it.
      session.send(frame);
      memberships.leave(session, room);
    }
    return met;
  }

  function disconnect(userId: string, reason: string): number {
    let met = 0;
    for (const session of [...sessions]) {
      if (session.user.id !== userId || session.state !== 'open') continue;
      met++;
      conflation.settle(session);
      sendAway(session, memberships, CLOSE_CODES.KICKED, reason);
    }
    return met;
  }

  return (channel, control) => {
    const address = channels.parse(channel);
    let met: number;
    if (address?.kind === 'room' && control.do === 'close_room') met = takeOut(address.room, control, () => true);
    else if (address?.kind === 'room' && control.do === 'remove_user')
      met = takeOut(address.room, control, session => session.user.id === control.user);
    else if (address?.kind === 'user' && control.do === 'disconnect_user')
      met = disconnect(address.userId, control.reason ?? 'disconnected by a service');
    else return metrics.malformedEnvelope(channel);
    metrics.controlled(control.do, met);
  };
}
