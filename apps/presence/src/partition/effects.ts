/** Effects of applied reports: rows to write, messages to members and services. All or none are committed. */
import type { LifecycleEvent, Payload, Sender } from '@hubbub/protocol';

/** A change of one hash of the registry, named within its partition: `meta`, `rooms`, `room:<room>`, `users:<bucket>`. */
export interface HashChange {
  readonly name: string;
  /** The hash is deleted first. */
  readonly clear: boolean;
  readonly set: ReadonlyMap<string, string>;
  readonly remove: readonly string[];
}

/** A frame for all of a room, or for some sessions on one node. */
export type Announcement = {
  readonly type: string;
  readonly room: string;
  readonly payload: Payload;
  /** The user that the frame is about, if any. */
  readonly sender?: Sender;
} & (
  | { readonly to: 'room'; readonly excludeSession?: string | undefined }
  | {
      readonly to: 'sessions';
      readonly node: string;
      readonly sessions: readonly string[];
      /** The question of each session, where this answers them. */
      readonly questions?: readonly number[];
    }
);

/** A session above the limit of its user: its edge ends it. */
export interface RefusedSession {
  readonly node: string;
  readonly session: string;
}

export interface Effects {
  readonly hashes: readonly HashChange[];
  /** In the order in which they happened. */
  readonly announcements: readonly Announcement[];
  readonly refused: readonly RefusedSession[];
  readonly lifecycle: readonly LifecycleEvent[];
  /** Kept members that left because their user had too many of them. */
  readonly keptMembersRemoved: number;
}
