/** refresh: a new token for the session, which goes on where it is. */
import { HubbubError } from '@hubbub/protocol';
import type { FrameAction } from './frame-context.js';

export const refresh: FrameAction = () => {
  throw new HubbubError('UNAVAILABLE', 'Tokens cannot be renewed within a session yet; connect again.');
};
