/** All metrics. Tags have few values (encoding, error code, close code): never a room, a user or a session. */
import { Counter, Rate, Trend } from 'k6/metrics';

/** From connecting until the welcome. */
export const connectMs = new Trend('hubbub_connect_duration', true);
/** From before the talker writes until a member has read it. Both must run on one machine, with the same clock. */
export const deliveryMs = new Trend('hubbub_delivery_duration', true);
/** From before the talker writes until it has read the `ack`. */
export const ackMs = new Trend('hubbub_ack_duration', true);
/** From the loss of a connection until every missed message has arrived. */
export const returnMs = new Trend('hubbub_return_duration', true);

export const connectionsOpened = new Counter('hubbub_connections_opened');
/** Refused, or without a welcome in time. */
export const connectionsFailed = new Counter('hubbub_connections_failed');
/** Sessions that answered a ping, but whose welcome did not reach the script (explained in lib/session.ts). */
export const welcomesUnseen = new Counter('hubbub_welcomes_unseen');
/** Connections that another party ended; tag `code`. */
export const connectionsCut = new Counter('hubbub_connections_cut');

export const messagesSent = new Counter('hubbub_messages_sent');
export const messagesReceived = new Counter('hubbub_messages_received');
/** Messages that a member should have read, but did not. */
export const messagesLost = new Counter('hubbub_messages_lost');
export const messagesRepeated = new Counter('hubbub_messages_repeated');
/** Messages read after a later one of the same talker. */
export const messagesDisordered = new Counter('hubbub_messages_disordered');
/** `room_gap`: the edge itself reported missing messages. */
export const roomGaps = new Counter('hubbub_room_gaps');

/** Answers `error`; tag `code`. */
export const errors = new Counter('hubbub_errors');
/** Sessions that were lost and have resumed. */
export const returns = new Counter('hubbub_returns');
/** Share of them for which the edge replayed every missed message. */
export const recovered = new Rate('hubbub_recovered');
/** Errors of the scenario itself: k6 only logs them, and would let the run pass. */
export const crashes = new Counter('hubbub_scenario_crashes');
