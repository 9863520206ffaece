/** How a log is consumed: by a group, of which one consumer at a time reads. */

/**
 * One group of consumers of one log, as one of its consumers sees it. Only the consumer that holds the lease reads: so
 * that events of a room are handled in order, however many instances of a service run.
 *
 * Guarantees, tested for client events by `test/event-group-conformance.ts`:
 * - **One at a time.** At most one consumer of a group holds the lease; a consumer that lost it cannot acknowledge any more.
 * - **At least once.** After a takeover the new holder first gets, in order, the unacknowledged entries.
 */
export interface ConsumerGroup<Entry> {
  /**
   * Takes the lease, or renews it. Renewed every third of `leaseMs`, it is kept. A consumer whose lease ran out gets
   * false, or `FORBIDDEN` by another call, before it can take it again: then it starts over.
   * @param consumer unique among the instances of the service
   * @returns whether this consumer holds it now
   * @throws {HubbubError} `UNAVAILABLE`
   */
  hold(consumer: string, leaseMs: number): Promise<boolean>;

  /** Gives the lease up, so that another need not wait for its end. Never rejects. */
  release(consumer: string): Promise<void>;

  /**
   * The next entries: at first those that were given out and not acknowledged, then new ones. Waits at most `waitMs` for one.
   * It does not give an entry to this consumer twice, unless the lease was lost. One read at a time.
   * @param options.limit 1 to 1,000; the answer may have fewer though there are more
   * @throws {HubbubError} `UNAVAILABLE`; `FORBIDDEN` when the lease is lost.
   */
  read(consumer: string, options: { readonly limit: number; readonly waitMs: number }): Promise<readonly Entry[]>;

  /** Counts one more try of an entry that this consumer has, before it begins, and returns the count. @throws as `read` */
  retry(consumer: string, entryId: string): Promise<number>;

  /** The entries are done. @throws as `read` */
  acknowledge(consumer: string, entryIds: readonly string[]): Promise<void>;

  /** The entry is given up: it goes to the dead letters of the group, with the reason, and is done. @throws as `read` */
  deadLetter(consumer: string, entryId: string, reason: string): Promise<void>;
}
