/**
 * The account that edges give of a user, a session or a room (`hubbub explain`), as schemas that check and describe it. An
 * entry of its own (`@hubbub/protocol/account`): browsers do not carry it.
 */
import { z } from 'zod';
import { roomId, text, userId } from './http-fields.js';
import { SESSION_ID_MAX_BYTES } from './report.js';
import { SESSION_ENCODINGS } from './session-encoding.js';

/** A larger answer of one edge leaves out its oldest parts, and has `truncated`. */
export const ACCOUNT_MAX_BYTES = 65_536;

export const sessionId = text(SESSION_ID_MAX_BYTES).describe(
  'Id of a session, as `welcome` and the client SDK show it.',
);

/** The subject of a question; without any, an edge reports its load alone. */
export const accountSubject = z.object({
  user_id: userId.optional(),
  session_id: sessionId.optional(),
  room_id: roomId.optional(),
});
export type AccountSubject = z.infer<typeof accountSubject>;

/** Events that an edge records of a session or a room. */
export const ACCOUNT_EVENTS = [
  'joined',
  'left',
  'removed',
  'recovered',
  'not_recovered',
  'gap',
  'refused',
  'slow_reader',
  'unread',
] as const;
export type AccountEvent = (typeof ACCOUNT_EVENTS)[number];

const repetition = {
  count: z.int().min(1).describe('How often it happened in a row.'),
  last_at: z.string().optional().describe('With a `count` above 1: the last time.'),
};

export const accountEntry = z.object({
  at: z.string().describe('RFC 3339.'),
  event: z.enum(ACCOUNT_EVENTS),
  room: z.string().optional(),
  type: z.string().optional().describe('Type of a refused frame; every client event is `client_event`.'),
  code: z.string().optional().describe('Error code of a refusal.'),
  limit: z.string().optional().describe('The limit that was exceeded.'),
  reason: z.string().optional(),
  ...repetition,
});

export const sessionAccount = z.object({
  session_id: z.string(),
  node: z.string().describe('The edge that holds or held it.'),
  user: z.object({ id: z.string(), name: z.string() }),
  address: z.string().optional(),
  encoding: z.enum(SESSION_ENCODINGS),
  state: z.enum(['opening', 'open', 'closed']),
  connected_at: z.string().describe('RFC 3339, to the second.'),
  expires_at: z.string().optional().describe('When the token ends the session.'),
  path_room: z.string().optional().describe('The room of the path that it connected with.'),
  rooms: z.array(z.string()).describe('Current rooms, or those at the end; at most 100.'),
  room_count: z.int().min(0),
  buffered_bytes: z.int().min(0).describe('Bytes that wait for the client to read them; 0 once it is closed.'),
  waiting_frames: z.int().min(0).describe('Frames of the client that wait for an earlier one.'),
  last_frames: z.array(z.string()).describe('Types of the last frames from the client, oldest first; at most 8.'),
  last_frame_at: z.string().optional(),
  entries: z.array(accountEntry).describe('Oldest first.'),
  entries_dropped: z.int().min(0).describe('Earlier entries that the edge has dropped.'),
  closed: z
    .object({
      at: z.string(),
      code: z.int().describe('WebSocket close code; 1006: the connection broke.'),
      cause: z.string().describe('Such as KICKED, SLOW_READER, TOKEN_EXPIRED, or `client`.'),
      reason: z.string().optional(),
    })
    .optional(),
});
export type SessionAccount = z.infer<typeof sessionAccount>;

export const refusalAccount = z.object({
  at: z.string(),
  node: z.string(),
  user_id: z.string().optional().describe('As the token claims it. With UNAUTHORIZED, the claim was not verified.'),
  room: z.string().optional().describe('The room of the path.'),
  address: z.string().optional(),
  code: z.string(),
  limit: z.string().optional(),
  reason: z.string(),
  ...repetition,
});
export type RefusalAccount = z.infer<typeof refusalAccount>;

export const roomAccount = z.object({
  room_id: z.string(),
  node: z.string(),
  session_count: z.int().min(0).describe('Members on this edge.'),
  members: z.array(z.object({ session_id: z.string(), user_id: z.string() })).describe('At most 50 of them.'),
  epoch: z.string().optional().describe('Of the position up to which this edge has delivered, with a history.'),
  offset: z.int().min(0).optional(),
  entries: z.array(accountEntry).describe('Gaps on this edge, oldest first.'),
});
export type RoomAccount = z.infer<typeof roomAccount>;

/** How busy an edge is. */
export const nodeLoad = z.object({
  sessions: z.int().min(0),
  rooms: z.int().min(0).describe('Rooms with a member there.'),
  subscriptions: z.int().min(0).describe('Channels of Redis, including lingering ones.'),
  loop_utilization: z.number().min(0).max(1).describe('Busy share of the event loop since the last question.'),
  shed_share: z.number().min(0).max(1).describe('Share of handshakes that the edge refuses because of overload.'),
  resident_bytes: z.int().min(0),
  state: z.string().describe('`serving`, or the phase of its drain.'),
  ready: z.boolean(),
});
export type NodeLoad = z.infer<typeof nodeLoad>;

/** The answer of one edge. */
export const nodeAccount = z.object({
  node: z.string(),
  /** RFC 3339: the edge recorded nothing before. */
  since: z.string(),
  busy: z.boolean().optional(),
  load: nodeLoad.optional(),
  truncated: z.boolean().optional(),
  sessions: z.array(sessionAccount),
  refusals: z.array(refusalAccount),
  rooms: z.array(roomAccount),
});
export type NodeAccount = z.infer<typeof nodeAccount>;

export const nodeState = z.object({
  node: z.string(),
  state: z
    .enum(['answered', 'busy', 'no_answer'])
    .describe('busy: above HUBBUB_EXPLAIN_QUESTIONS_PER_SECOND. no_answer: killed, frozen, or without Redis.'),
  since: z.string().optional().describe('RFC 3339: the start of the edge, which recorded nothing before.'),
  truncated: z.boolean().optional().describe('The oldest parts of a long answer are left out.'),
  load: nodeLoad.optional(),
});
export type NodeState = z.infer<typeof nodeState>;

/** The answers of all edges together. */
export const explanation = z.object({
  nodes: z.array(nodeState.omit({ load: true })).describe('Every edge with a lease.'),
  sessions: z.array(sessionAccount).describe('Newest first.'),
  refusals: z.array(refusalAccount).describe('Refused handshakes, newest first.'),
  rooms: z.array(roomAccount).describe('One for each edge with a member or an entry.'),
});
export type Explanation = z.infer<typeof explanation>;
