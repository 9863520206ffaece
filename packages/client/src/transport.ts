/** The socket that a connection needs, and nothing of where it comes from. `#transport` picks browser or Node. */
import type { Refusal } from '@hubbub/protocol';

/** How a socket ended. */
export interface Closing {
  /** Close code; 1006 when the connection broke or was never made. */
  readonly code: number;
  readonly reason: string;
  /** Why an edge opened no session (PROTOCOL.md section 1), where the platform shows it. */
  readonly refusal?: Refusal;
}

/** Hears of one socket. `closed` is called once and is the last call. */
export interface TransportListener {
  opened(): void;
  /** Text frames arrive as strings, binary ones as bytes. */
  received(data: string | Uint8Array): void;
  closed(closing: Closing): void;
}

/** One socket. */
export interface Transport {
  /** May lose the data silently if the socket is not open; then `closed` follows. */
  send(data: string | Uint8Array): void;
  /** Begins to close; does nothing when that has begun. */
  close(code: number, reason: string): void;
}

export interface TransportRequest {
  /** `ws:` or `wss:`, absolute. */
  readonly url: string;
  readonly protocols: readonly string[];
}

/** Dials. Reports failures through `listener.closed`; throws only where the request itself is malformed. */
export type OpenTransport = (request: TransportRequest, listener: TransportListener) => Transport;
