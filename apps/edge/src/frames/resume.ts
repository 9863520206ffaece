/** resume: reserved for recovery from history. */

import { HubbubError } from '@hubbub/protocol';
import type { FrameAction } from './frame-context.js';

export const resume: FrameAction = () => {
  throw new HubbubError('UNAVAILABLE', 'No room has a history to resume from; join the rooms again.');
};
