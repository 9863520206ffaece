/** How many users are online in the cluster: presence writes its part, everybody reads the sum. */

/** The count that the owner of a partition writes. */
export interface OnlineCount {
  readonly users: number;
  /** Of the owner's claim: a later claim of the partition has a higher one. */
  readonly fence: number;
}

/**
 * Guarantees, tested by `test/online-counter-conformance.ts` on every implementation. A partition counts with the last value
 * of its latest claim. A value that is not written again for minutes expires.
 */
export interface OnlineCounter {
  /** @throws {HubbubError} `UNAVAILABLE`. */
  write(counts: ReadonlyMap<number, OnlineCount>): Promise<void>;
  /**
   * The sum over all partitions, at most about a second old: callers share one answer.
   * @throws {HubbubError} `UNAVAILABLE`.
   */
  total(): Promise<number>;
}

/** The sum may be so old: `GET /ws/online` is public, and must not become load on Redis. */
export const ONLINE_TOTAL_MAX_AGE_MS = 1000;
