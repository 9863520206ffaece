/** ping: answered with pong, for clients that cannot see the protocol's own pings, as browsers cannot. */
import type { FrameHandler } from '../sessions/receiver.js';

export const handlePing: FrameHandler = (session, { id }) => {
  session.answer(id === undefined ? {} : { id }, { type: 'pong' });
};
