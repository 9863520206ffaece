/** typing and stop_typing: sent to the other members, not stored. */
import { HubbubError } from '@hubbub/protocol';
import { type FrameAction, memberRoom } from './frame-context.js';

export const typing: FrameAction = tell('user_typing');
export const stopTyping: FrameAction = tell('user_stopped_typing');

function tell(type: 'user_typing' | 'user_stopped_typing'): FrameAction {
  return (session, frame, context) => {
    const room = memberRoom(session, frame);
    if (!session.allows(room, 'publish'))
      throw new HubbubError('FORBIDDEN', 'The token does not allow to publish here.');
    context.publisher.tell(session, room, { type }).then(
      () => session.acknowledge(frame, room),
      (error: HubbubError) => session.refuse(frame, error),
    );
  };
}
