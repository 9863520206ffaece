/** ping: answered with pong, for clients that cannot see the protocol's own pings, as browsers cannot. */
import type { FrameAction } from './frame-context.js';

export const ping: FrameAction = (session, frame) => {
  session.answer({ ...(frame.id !== undefined && { id: frame.id }) }, { type: 'pong' });
};
