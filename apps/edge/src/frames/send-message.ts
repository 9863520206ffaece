/** send_message: a new_message to the other members; answered when the broker has taken it. */
import type { HubbubError, Payload } from '@hubbub/protocol';
import type { ClientFrame } from '@hubbub/protocol/client-frame';
import type { FrameHandler } from '../sessions/receiver.js';
import type { Session } from '../sessions/session.js';
import { memberRoom, requiredPayload } from './frame-fields.js';
import type { FrameParts } from './frame-parts.js';

export function handleSendMessage({
  authorizer,
  publisher,
  limits,
}: Pick<FrameParts, 'authorizer' | 'publisher' | 'limits'>): FrameHandler {
  return (session, frame) => {
    const room = memberRoom(session, frame);
    session.assertAllows(room, 'publish');
    const payload = requiredPayload(frame, limits);
    const { user, address } = session;
    const asked = authorizer.ask({ action: 'publish', user, address, room, payload });
    if (!(asked instanceof Promise)) return publish(session, frame, room, payload, publisher);
    // Returned: the session's next frames wait for the answer, and its messages keep their order.
    return asked.then(() => {
      if (session.closed) return;
      memberRoom(session, frame); // The session may have been removed from the room meanwhile.
      publish(session, frame, room, payload, publisher);
    });
  };
}

function publish(
  session: Session,
  frame: ClientFrame,
  room: string,
  payload: Payload,
  publisher: FrameParts['publisher'],
): void {
  const messageId = frame.messageId ?? session.nextMessageId();
  const id = frame.id ?? messageId;
  // Not returned: the session's next frames need not wait for Redis, it keeps the order of what is sent.
  publisher.publishMessage(session, room, { type: 'new_message', payload, id: messageId }, frame.messageId).then(
    ({ position, duplicate = false }) =>
      session.acknowledge({ id }, room, {
        ...position,
        payload: { message_id: messageId, ...(duplicate && { duplicate }) },
      }),
    (error: HubbubError) => session.refuse({ id, room }, error),
  );
}
