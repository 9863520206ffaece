/** ping: answered with pong, for clients that cannot see the protocol's own pings, as browsers cannot. */
import type { FrameAction } from './frame-context.js';

export const ping: FrameAction = (session, frame) => {
  session.send({ type: 'pong', ...(frame.id !== undefined && { id: frame.id }), timestamp: new Date().toISOString() });
};
