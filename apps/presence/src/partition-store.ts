/** Where a partition's registry is kept, and who may write it. */
import type { LogPosition } from '@hubbub/broker';
import type { LifecycleEvent } from '@hubbub/protocol';
import type { HashChange } from './partition/effects.js';
import type { SavedPartition } from './partition/saved-partition.js';
import type { Publication } from './publication.js';

/** The right to write a partition, until somebody else claims it. */
export interface Claim {
  readonly partition: number;
  /** Names this claim and no other: `<instance>|<fence>`. */
  readonly owner: string;
  /** Higher than that of every earlier claim of the partition, also across a loss. */
  readonly fence: number;
  /** Commits so far. */
  readonly sequence: number;
  /** How far the log is applied. */
  readonly position: LogPosition;
  /**
   * The registry does not know this partition: it is new, Redis lost it, or it had no owner for too long. The claim cleared
   * its rows. True until the first commit.
   */
  readonly lost: boolean;
  /** Of the store's data: another one after the store restarted or failed over. Commits need the term of their claim. */
  readonly term: string;
  /** The last commit was in another term: the registry may be older than that commit. True until the first commit. */
  readonly restored: boolean;
}

/** All of it is done, or none. */
export interface Commit {
  /** The sequence that this commit builds on: that of the claim, then one more with each commit. */
  readonly sequence: number;
  readonly position: LogPosition;
  readonly hashes: readonly HashChange[];
  readonly publications: readonly Publication[];
  readonly lifecycle: readonly LifecycleEvent[];
}

/**
 * Guarantees, tested by `test/partition-store-conformance.ts` on every implementation:
 * - **One writer.** From the moment a claim is granted, no commit of an earlier one is applied, however late it arrives.
 * - **One term.** When the store's data may have become older, every claim ends: the next one is `restored` or `lost`.
 * - **All or none.** Rows, position, lifecycle events and publications of a commit happen together, once. A commit that is
 *   sent twice is applied once.
 * - **Short-lived.** Keys that are not renewed for minutes are gone; a partition counts as lost before any of its rows is.
 */
export interface PartitionStore {
  /**
   * Takes the partition over, unless one of `living` other than `instance` holds it: then `undefined`.
   * @throws {HubbubError} `UNAVAILABLE`, here and in every method below.
   */
  claim(partition: number, instance: string, living: readonly string[]): Promise<Claim | undefined>;
  load(claim: Claim): Promise<SavedPartition>;
  /**
   * False: the claim is not valid any more, or the sequence is another; nothing was done. When it throws, the commit may
   * or may not be applied, now or later: claim and load again, do not guess.
   */
  commit(claim: Claim, commit: Commit): Promise<boolean>;
  /** Rooms whose members missed messages, because the server that carries them did not answer. It does now. */
  takeMissed(claim: Claim): Iterable<string>;
  /** Renews the life of the partition and of the named keys. False: the claim is not valid any more. */
  renew(claim: Claim, keys: readonly string[]): Promise<boolean>;
  /** Releases the claim, so that any instance may claim it immediately. */
  release(claim: Claim): Promise<void>;
}

/** How long a partition is remembered without an owner; then it counts as lost, and all edges report it again. */
export const PARTITION_TTL_MS = 120_000;
/**
 * How often each hash is renewed. A hash is at most this old when its owner dies, and the partition is lost
 * `PARTITION_TTL_MS` later. Together that is less than `REGISTRY_TTL_MS` of the broker package, with room for a slow takeover.
 */
export const HASH_RENEWAL_MS = 120_000;
