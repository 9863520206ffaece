/** Lifecycle events of users and rooms, from presence to services: consumed by groups, in order for each subject. */
import type { LifecycleEvent, LifecycleGap } from '@hubbub/protocol';
import type { ConsumerGroup } from './consumer-group.js';
import type { DeadLetter } from './event-log.js';

/** Time to live of a group's position, replays and dead letters after its last activity. */
export const LIFECYCLE_GROUP_TTL_MS = 86_400_000;

/** Entries that a stream keeps for groups that are behind. */
export const LIFECYCLE_KEPT_MAX = 4096;

export interface LifecycleEntry {
  /** Unique in the cluster. */
  readonly entryId: string;
  readonly event: LifecycleEvent | LifecycleGap;
  /** Always 1: the holder of the lease counts further attempts itself. */
  readonly attempt: number;
}

/**
 * The lifecycle streams of all partitions, read as one.
 *
 * Guarantees, tested by `test/lifecycle-log-conformance.ts`:
 * - **Order.** Events of one user, and those of one room, are in order.
 * - **No silent loss.** A group gets a `lifecycle_gap` when it begins, and when a stream no longer has events that it had
 *   not read. The gap is given out until it is acknowledged.
 */
export interface LifecycleLog {
  /** A group's place. It begins with events written after it first had the lease; attempts restart at a takeover. */
  group(group: string): LifecycleGroup;
}

export type LifecycleLetter = DeadLetter<LifecycleEntry['event']>;

/** A group's place in the lifecycle streams. */
export interface LifecycleGroup extends ConsumerGroup<LifecycleEntry> {
  /** Dead letters, oldest first. A takeover in between may have added one twice. @throws {HubbubError} `UNAVAILABLE` */
  deadLetters(limit: number): Promise<readonly LifecycleLetter[]>;
  /**
   * Gives the event of a dead letter to this group again, with new attempts, and removes the letter: in one step.
   * Returns the new entry's id; `undefined` when there is no such letter.
   * @throws {HubbubError} `UNAVAILABLE`, `OUTCOME_UNKNOWN`
   */
  replay(letterId: string): Promise<string | undefined>;
}
