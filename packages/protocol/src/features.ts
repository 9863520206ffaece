/** Optional features of an edge: the `features` of the `welcome` (PROTOCOL.md section 2.2). */

export const FEATURES = [
  'resume',
  'history',
  'refresh',
  'room_tokens',
  'set_status',
  'errors_close',
  'expires_in_ms',
] as const;
export type Feature = (typeof FEATURES)[number];

/** Those of a session that reads server-sent events: it sends no frames (PROTOCOL.md section 10.2). */
export const STREAM_FEATURES = ['room_tokens', 'expires_in_ms'] as const satisfies readonly Feature[];

/** The pace that an edge proposes in the `welcome`. All values are milliseconds. */
export interface Pace {
  /** Silence after which a client asks whether its edge is alive. */
  readonly ping_interval_ms: number;
  /** Silence after which the edge closes the session. */
  readonly idle_timeout_ms: number;
  /** Upper bounds of the first delay before a reconnect, and of every delay. */
  readonly backoff: { readonly base_ms: number; readonly cap_ms: number };
}
