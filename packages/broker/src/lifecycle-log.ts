/** Lifecycle events of users and rooms, from presence to services: consumed by groups, in order for each subject. */
import type { LifecycleEvent } from '@hubbub/protocol';
import type { ConsumerGroup } from './consumer-group.js';

/** Time to live of a group's position after its last activity. */
export const LIFECYCLE_GROUP_TTL_MS = 86_400_000;

/** Entries that a stream keeps for groups that are behind. */
export const LIFECYCLE_KEPT_MAX = 4096;

export interface LifecycleEntry {
  /** Unique in the cluster. */
  readonly entryId: string;
  readonly event: LifecycleEvent;
  /** 1: attempts of lifecycle events are counted by the consumer that has them. */
  readonly attempt: number;
}

/**
 * The lifecycle streams of all partitions, read as one.
 *
 * Guarantees: events of one user, and those of one room, are in order. A group that is away for longer than a stream
 * keeps its entries (docs/redis-contract.md) misses some: services ask presence when they start.
 */
export interface LifecycleLog {
  /** A group's place. It begins with events written after it first had the lease; attempts restart at a takeover. `deadLetter` only counts the entry as done. */
  group(group: string): ConsumerGroup<LifecycleEntry>;
}
