/** Reads the committed registry, on any instance, without its owner. */
import type { Status } from '@hubbub/protocol';

export interface RoomSummary {
  readonly room: string;
  readonly users: number;
  readonly version: number;
}

export interface SessionView {
  readonly session: string;
  /** The edge that holds it. */
  readonly node: string;
}

export interface RosterEntry {
  readonly id: string;
  readonly name: string;
  /** False for members that are kept while they are away. */
  readonly online: boolean;
  /** RFC 3339, of members that are away: when their last connection ended. */
  readonly last_seen?: string;
  readonly status?: Status;
  /** Empty while the grace of a dropped connection runs. */
  readonly sessions: readonly SessionView[];
}

export interface Roster extends RoomSummary {
  readonly entries: readonly RosterEntry[];
  readonly next?: string;
}

export interface UserView {
  readonly id: string;
  /** With a session, or within the grace after the last one. */
  readonly online: boolean;
  readonly sessions: ReadonlyArray<SessionView & { readonly rooms: readonly string[] }>;
}

export interface PageQuery {
  /** About so many: a page may be up to 128 entries longer, the size up to which Redis hands a hash out whole. */
  readonly limit: number;
  /** `next` of the page before. */
  readonly cursor?: string | undefined;
}

/**
 * Pages use a cursor that holds no state here. An entry that exists from the first page to the last is on at
 * least one of them.
 *
 * Every method rejects with `UNAVAILABLE` when the registry does not answer, and with `INVALID_FORMAT` for a cursor that
 * it did not give out.
 */
export interface RegistryReader {
  /** Rooms with somebody in them, by the beginning of their names. */
  rooms(
    query: PageQuery & { readonly prefix?: string | undefined },
  ): Promise<{ rooms: readonly RoomSummary[]; next?: string }>;
  /** An unknown room is empty, not an error. */
  roster(room: string, query: PageQuery): Promise<Roster>;
  /** An unknown user is offline, not an error. */
  user(id: string): Promise<UserView>;
}
