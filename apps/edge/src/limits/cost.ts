/**
 * The calls to Redis, by this edge and by presence, that each frame causes: see docs/decisions/0006-what-an-action-costs.md.
 * Bytes are charged where they are known.
 */
import type { ClientFrameType } from '@hubbub/protocol';

/** Of a `resume` for each room: subscription, report to presence, history. */
export const CALLS_OF_RESUMED_ROOM = 3;
/** Of each user of a watchlist that is new to the edge: subscription, question to presence, answer. */
export const CALLS_OF_WATCHED_USER = 3;
/** Of a `set_status` for each room: report to presence, and what it publishes to the room. */
export const CALLS_OF_STATUS_IN_ROOM = 2;
/** Calls that a frame causes at most. */
export const CALLS: Readonly<Record<ClientFrameType | 'client_event', number>> = {
  join_room: CALLS_OF_RESUMED_ROOM,
  online_users: 2, // Report to presence, and its answer.
  leave_room: 1,
  send_message: 1,
  typing: 1,
  stop_typing: 1,
  history: 1,
  client_event: 1,
  refresh: 0,
  ping: 0,
  resume: 0, // By room.
  set_status: 0, // By room.
};
