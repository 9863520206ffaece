/** typing and stop_typing: sent to the other members, not stored. */
import type { HubbubError } from '@hubbub/protocol';
import type { FrameHandler } from '../sessions/receiver.js';
import { memberRoom } from './frame-fields.js';
import type { FrameParts } from './frame-parts.js';

export function handleTyping(
  type: 'user_typing' | 'user_stopped_typing',
  { publisher }: Pick<FrameParts, 'publisher'>,
): FrameHandler {
  return (session, frame) => {
    const room = memberRoom(session, frame);
    session.assertAllows(room, 'publish');
    publisher.publishSignal(session, room, { type }).then(
      () => session.acknowledge(frame, room),
      (error: HubbubError) => session.refuse(frame, error),
    );
  };
}
