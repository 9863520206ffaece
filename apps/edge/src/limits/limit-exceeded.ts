/** The error of something above a limit, with the limit's name for the metrics. */
import { type ErrorCode, HubbubError, type Payload } from '@hubbub/protocol';

/** The values of the label `limit` of `hubbub_edge_limits_total`, and what each counts. */
export const LIMITS = {
  frame_bytes: 'frames larger than max_frame_bytes',
  session_frames: 'frames above max_frames_per_second',
  user_frames: 'frames above HUBBUB_MAX_USER_FRAMES_PER_SECOND',
  address_frames: 'frames above HUBBUB_MAX_ADDRESS_FRAMES_PER_SECOND',
  session_calls: 'frames of sessions that used up HUBBUB_MAX_CALLS_PER_SECOND',
  user_calls: 'frames of users that used up HUBBUB_MAX_USER_CALLS_PER_SECOND',
  namespace_calls: 'frames in namespaces that used up HUBBUB_MAX_NAMESPACE_CALLS_PER_SECOND',
  session_bytes_out: 'requests of sessions that used up HUBBUB_MAX_BYTES_OUT_PER_SECOND',
  user_bytes_out: 'requests of users that used up HUBBUB_MAX_USER_BYTES_OUT_PER_SECOND',
  namespace_bytes_out: 'requests in namespaces that used up HUBBUB_MAX_NAMESPACE_BYTES_OUT_PER_SECOND',
  user_stored_bytes: 'messages of users that used up HUBBUB_MAX_USER_STORED_BYTES',
  namespace_stored_bytes: 'messages in namespaces that used up HUBBUB_MAX_NAMESPACE_STORED_BYTES',
  waiting_frames:
    'frames above max_frames_burst (or max_rooms, if that is more) that wait for an earlier frame of their session',
  waiting_events: 'client events of users that used up their share of HUBBUB_MAX_WAITING_EVENTS',
  refusals: 'sessions closed after more than HUBBUB_MAX_REFUSALS_PER_MINUTE refused frames',
  rooms: 'joins above max_rooms',
  payload: 'payloads above max_payload_depth or max_payload_keys, or with the key __proto__',
  room_name: 'room names longer than 128 bytes',
  address_connections: 'handshakes above HUBBUB_MAX_CONNECTIONS_PER_ADDRESS',
  silent_connections: 'connections without a request, closed because their address had too many of them',
  refused_upgrades: 'refusals sent over HTTP despite errors=close, because too many refused connections were closing',
  handshakes: 'handshakes above HUBBUB_MAX_HANDSHAKES_PER_SECOND',
  descriptors: 'connections for which no file descriptor was left besides HUBBUB_RESERVED_DESCRIPTORS',
  unread_time: 'sessions disconnected because they read nothing for HUBBUB_UNREAD_TIMEOUT_MS while messages waited',
  handshake_time: 'requests not answered within HUBBUB_HANDSHAKE_TIMEOUT_MS',
  authorizer_questions:
    'questions above HUBBUB_AUTHORIZER_MAX_PENDING_PER_USER, or above the free share of HUBBUB_AUTHORIZER_MAX_PENDING',
} as const;

export type LimitName = (typeof LIMITS)[number];

export class LimitExceeded extends HubbubError {
  readonly limit: LimitName;

  /** @param retryAfterMs milliseconds after which to try again, where that is known */
  constructor(limit: LimitName, code: ErrorCode, message: string, retryAfterMs?: number) {
    super(code, message, { retryAfterMs });
    this.limit = limit;
  }
}

/** The part of an error that a client gets. */
export function errorPayload(error: HubbubError): Payload {
  const { code, message, retryAfterMs } = error;
  return { code, message, ...(retryAfterMs !== undefined && { retry_after_ms: retryAfterMs }) };
}
