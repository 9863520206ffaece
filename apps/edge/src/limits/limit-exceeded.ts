/** The error of something above a limit, with the limit's name for the metrics. */
import { type ErrorCode, HubbubError, type Payload } from '@hubbub/protocol';

/** The values of the label `limit` of `hubbub_edge_limits_total`; PROTOCOL.md section 6 describes each. */
export const LIMITS = [
  'frame_bytes',
  'session_frames',
  'user_frames',
  'address_frames',
  'session_calls',
  'user_calls',
  'namespace_calls',
  'session_bytes_out',
  'user_bytes_out',
  'namespace_bytes_out',
  'user_stored_bytes',
  'namespace_stored_bytes',
  'waiting_frames',
  'waiting_events',
  'publishes_in_flight',
  'refusals',
  'rooms',
  'payload',
  'room_name',
  'address_connections',
  'silent_connections',
  'refused_upgrades',
  'handshakes',
  'overload',
  'descriptors',
  'sessions',
  'total_buffered_bytes',
  'unread_time',
  'handshake_time',
  'authorizer_questions',
  'client_events',
  'watchlist',
] as const;

export type LimitName = (typeof LIMITS)[number];

export class LimitExceeded extends HubbubError {
  readonly limit: LimitName;

  /** @param retryAfterMs milliseconds after which to try again, where that is known */
  constructor(limit: LimitName, code: ErrorCode, message: string, retryAfterMs?: number) {
    super(code, message, { retryAfterMs });
    this.limit = limit;
  }
}

/** A delay from `minMs` on: clients that are refused together must not return together. */
export function spreadRetryMs(minMs: number, spreadMs: number): number {
  return Math.ceil(minMs + Math.random() * spreadMs);
}

/** Clients that are refused together must not reconnect together: each gets another of these seconds. */
const RETRY_SPREAD_SECONDS = 10;

/** Whole seconds, as `Retry-After` has them, in milliseconds: 1 to 10 s. */
export function retryAfterMs(): number {
  return 1000 * (1 + Math.floor(Math.random() * RETRY_SPREAD_SECONDS));
}

/** The part of an error that a client gets. */
export function errorPayload(error: HubbubError): Payload {
  const { code, message, retryAfterMs, details } = error;
  return {
    code,
    message,
    ...(retryAfterMs !== undefined && { retry_after_ms: retryAfterMs }),
    ...(details !== undefined && { details }),
  };
}
