/** The living instances of presence, and their shares of the partitions. */

export interface Membership {
  /** Everybody alive, the asking one included, sorted: all see the same list and come to the same assignment. */
  readonly living: readonly string[];
  /** The store's clock. Every instance goes by it, so that a takeover does not stretch or cut a grace. */
  readonly nowMs: number;
  /** Of the store's data: another one after the store restarted or failed over, perhaps with older data. */
  readonly term: string;
}

/**
 * A lease names the owner; the fence of `PartitionStore` protects the partition. Tested by
 * `test/instance-leases-conformance.ts`.
 */
export interface InstanceLeases {
  /** Begins or renews the lease. @throws {HubbubError} `UNAVAILABLE`. */
  renew(instance: string): Promise<Membership>;
  release(instance: string): Promise<void>;
}

/** The partitions of an instance that was killed are taken over after this time, and a renewal of another one. */
export const INSTANCE_LEASE_MS = 5000;

/** Returns the partitions that an instance should own: shares of equal size, and the same answer in every instance. */
export function assignedTo(instance: string, living: readonly string[], partitions: number): Set<number> {
  const mine = living.indexOf(instance);
  const assigned = new Set<number>();
  if (mine < 0) return assigned;
  for (let partition = mine; partition < partitions; partition += living.length) assigned.add(partition);
  return assigned;
}
