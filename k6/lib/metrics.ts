/** Everything that is measured. Tags have few values (encoding, code of an error, close code): never a room, a user or a session. */
import { Counter, Rate, Trend } from 'k6/metrics';

/** From dialling until the welcome. */
export const connectMs = new Trend('hubbub_connect_duration', true);
/** From before the talker writes until a member has read it; the wall clocks of both are the same machine's. */
export const deliveryMs = new Trend('hubbub_delivery_duration', true);
/** From before the talker writes until it has read the `ack`. */
export const ackMs = new Trend('hubbub_ack_duration', true);
/** From the loss of a connection until everything that was missed has arrived. */
export const returnMs = new Trend('hubbub_return_duration', true);

export const connectionsOpened = new Counter('hubbub_connections_opened');
/** Refused, or without a welcome in time. */
export const connectionsFailed = new Counter('hubbub_connections_failed');
/** Sessions whose welcome did not reach the script, and which answered a ping (lib/session.ts says more). */
export const welcomesUnseen = new Counter('hubbub_welcomes_unseen');
/** Ended by somebody else; tag `code`. */
export const connectionsCut = new Counter('hubbub_connections_cut');

export const messagesSent = new Counter('hubbub_messages_sent');
export const messagesReceived = new Counter('hubbub_messages_received');
/** A number that a member should have read and did not. */
export const messagesLost = new Counter('hubbub_messages_lost');
export const messagesRepeated = new Counter('hubbub_messages_repeated');
/** Read after a later one of the same talker. */
export const messagesDisordered = new Counter('hubbub_messages_disordered');
/** `room_gap`: the edge said itself that something is missing. */
export const roomGaps = new Counter('hubbub_room_gaps');

/** Answers `error`; tag `code`. */
export const errors = new Counter('hubbub_errors');
/** Sessions that were lost and have come back. */
export const returns = new Counter('hubbub_returns');
/** Of those: whether the edge could replay everything. */
export const recovered = new Rate('hubbub_recovered');
/** Faults of the scenario itself: k6 only logs them, and would call the run passed. */
export const crashes = new Counter('hubbub_scenario_crashes');
