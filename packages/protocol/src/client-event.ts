/** A client event: a client's message to services, with the sender as the edge knows it (docs/redis-contract.md). */
import type { Payload, Sender } from './frame.js';

/** Where a session is: services answer it there. */
export interface SessionAddress {
  readonly id: string;
  /** The edge that holds it. */
  readonly node: string;
}

export interface ClientEvent {
  /** Any name that is not one of Hubbub's, such as `vote_submitted`. */
  readonly type: string;
  /** Absent where the event is about no room. */
  readonly room?: string;
  /** The frame's `id`, or one that the edge made. A client chooses it freely: match answers by it, and identify nothing. */
  readonly id: string;
  readonly payload: Payload;
  /** From the token, never from the frame. */
  readonly user: Sender;
  readonly session: SessionAddress;
  /** Rooms that the session is in, the first 100. */
  readonly rooms: readonly string[];
  /** When the edge took it in: milliseconds since 1970. */
  readonly atMs: number;
  /** The span that took it in, where it is traced (W3C Trace Context). */
  readonly traceparent?: string;
}
