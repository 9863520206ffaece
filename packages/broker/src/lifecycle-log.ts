/** What presence tells services of users and rooms: consumed by groups, in order for each subject. */
import type { LifecycleEvent } from '@hubbub/protocol';
import type { ConsumerGroup } from './consumer-group.js';

export interface LifecycleEntry {
  /** Unique in the cluster. */
  readonly entryId: string;
  readonly event: LifecycleEvent;
  /** How often it was given out, this time included. */
  readonly attempt: number;
}

/**
 * The lifecycle streams of all partitions, read as one.
 *
 * Guarantees: events of one user, and those of one room, are in order. A group that is away for longer than a stream
 * keeps its entries (PROTOCOL.md section 7.1) misses some: services ask presence when they start.
 */
export interface LifecycleLog {
  /** A group's place. It begins with what is written from now on. `bury` of such a group only counts the entry as done. */
  group(group: string): ConsumerGroup<LifecycleEntry>;
}
