/** Client events, every type that is not Hubbub's: for services, if the namespace takes them; answered when the log has them. */
import { DEFAULT_NAMESPACE, HubbubError } from '@hubbub/protocol';
import type { FrameHandler } from '../sessions/receiver.js';
import type { Session } from '../sessions/session.js';
import { requiredPayload } from './frame-fields.js';
import type { FrameParts } from './frame-parts.js';

export function handleClientEvent({ events, limits }: Pick<FrameParts, 'events' | 'limits'>): FrameHandler {
  return (session, frame) => {
    const room = frame.room ?? session.pathRoom;
    if (!events.takes(frame.type, room)) {
      throw new HubbubError('UNKNOWN_TYPE', `Unknown frame type ${frame.type}; no service accepts it here.`);
    }
    assertMayPublish(session, room);
    const payload = frame.payload === undefined || frame.payload === null ? {} : requiredPayload(frame, limits);
    events.takeShare(session, room);
    const messageId = frame.messageId ?? session.nextMessageId();
    const id = frame.id ?? messageId;
    // Not returned, as in send_message: the log keeps the order of what is appended.
    events.append(session, { type: frame.type, room, id, payload }, frame.messageId).then(
      ({ duplicate }) =>
        session.acknowledge({ id }, room, { payload: { message_id: messageId, ...(duplicate && { duplicate }) } }),
      (error: HubbubError) => session.refuse({ id, ...(room !== undefined && { room }) }, error),
    );
  };
}

/**
 * An event without a room goes to the services of the namespace `default`. It needs the same right as an event of the room
 * `default`: a token for `chat:*` does not suffice.
 * @throws {HubbubError} `NOT_IN_ROOM`, `FORBIDDEN`
 */
function assertMayPublish(session: Session, room: string | undefined): void {
  if (room !== undefined && !session.rooms.has(room)) throw new HubbubError('NOT_IN_ROOM', 'Join the room first.');
  session.assertAllows(room ?? DEFAULT_NAMESPACE, 'event');
}
