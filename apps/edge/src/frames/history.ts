/** history: reserved for reading a room's history. */
import { HubbubError } from '@hubbub/protocol';
import { type FrameAction, memberRoom } from './frame-context.js';

export const history: FrameAction = (session, frame) => {
  memberRoom(session, frame);
  throw new HubbubError('UNAVAILABLE', 'This room has no history.');
};
