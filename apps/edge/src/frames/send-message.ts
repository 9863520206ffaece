/** send_message: a new_message to the other members; answered when the bus has taken it. */
import { HubbubError } from '@hubbub/protocol';
import { type FrameAction, memberRoom, requiredPayload } from './frame-context.js';

export const sendMessage: FrameAction = (session, frame, context) => {
  const room = memberRoom(session, frame);
  if (!session.allows(room, 'publish')) throw new HubbubError('FORBIDDEN', 'The token does not allow to publish here.');
  const payload = requiredPayload(frame, context.limits);
  const id = frame.id ?? session.nextMessageId();
  // Not returned: the session's next frames need not wait for Redis, it keeps the order of what is sent.
  context.publisher.send(session, room, { type: 'new_message', payload, id }, frame.id !== undefined).then(
    offset => session.acknowledge({ id }, room, offset === undefined ? {} : { offset }),
    (error: HubbubError) =>
      session.refuse({ id, room }, error.code, 'Not known whether the message was sent; try again.'),
  );
};
