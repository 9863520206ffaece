/** The frame that takes the place of a message which is not for a session: a hole in the offsets would look like a loss. */
import type { Envelope, Frame, Position } from '@hubbub/protocol';
import type { Session } from '../sessions/session.js';

type Exclusion = Pick<Envelope, 'excludeSession' | 'excludeUser' | 'notifyExcluded'>;

/** Whether a service left this session or its user out. A sender is not: its `ack` names the offset. */
export function isLeftOut(session: Pick<Session, 'id' | 'user'>, exclusion: Exclusion): boolean {
  if (exclusion.excludeUser !== undefined && exclusion.excludeUser === session.user.id) return true;
  return exclusion.notifyExcluded === true && exclusion.excludeSession === session.id;
}

export function roomOffsetFrame(room: string, { epoch, offset }: Position): Frame {
  return { type: 'room_offset', room, epoch, offset, timestamp: new Date().toISOString() };
}
