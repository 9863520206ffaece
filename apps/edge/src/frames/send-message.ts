/** send_message: a new_message to the other members; answered when the bus has taken it. */
import { HubbubError, type Payload } from '@hubbub/protocol';
import type { ClientFrame } from '@hubbub/protocol/client-frame';
import type { Session } from '../sessions/session.js';
import { type FrameAction, type FrameContext, memberRoom, requiredPayload } from './frame-context.js';

export const sendMessage: FrameAction = (session, frame, context) => {
  const room = memberRoom(session, frame);
  if (!session.allows(room, 'publish')) {
    throw new HubbubError('FORBIDDEN', 'The token does not allow to publish here.');
  }
  const payload = requiredPayload(frame, context.limits);
  const { user, address } = session;
  const asked = context.authorizer.ask({ action: 'publish', user, address, room, payload });
  if (!(asked instanceof Promise)) return publish(session, frame, room, payload, context);
  // Returned: the session's next frames wait for the answer, and its messages keep their order.
  return asked.then(() => {
    if (session.closed) return;
    memberRoom(session, frame); // The session may have been removed from the room meanwhile.
    publish(session, frame, room, payload, context);
  });
};

function publish(
  session: Session,
  frame: ClientFrame,
  room: string,
  payload: Payload,
  { publisher }: FrameContext,
): void {
  const messageId = frame.messageId ?? session.nextMessageId();
  const id = frame.id ?? messageId;
  // Not returned: the session's next frames need not wait for Redis, it keeps the order of what is sent.
  publisher.send(session, room, { type: 'new_message', payload, id: messageId }, frame.messageId).then(
    ({ position, duplicate = false }) =>
      session.acknowledge({ id }, room, {
        ...position,
        payload: { message_id: messageId, ...(duplicate && { duplicate }) },
      }),
    (error: HubbubError) => session.refuse({ id, room }, error),
  );
}
