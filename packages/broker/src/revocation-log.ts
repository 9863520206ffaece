/** The revocations of a cluster: services write them, and every edge follows them. */
import type { Revocation, RevocationTarget } from '@hubbub/protocol';

/** A withdrawn revocation is remembered for this long, so that edges learn of the withdrawal. */
export const WITHDRAWAL_TTL_MS = 600_000;

export const DEFAULT_MAX_REVOCATIONS = 100_000;

export interface RevocationChange {
  readonly id: string;
  /** `undefined`: withdrawn. */
  readonly revocation: Revocation | undefined;
}

export interface RevocationPage {
  /** Another one: the data may be older than before, or lost. */
  readonly epoch: string;
  /** Of the newest change; 0 before the first one. */
  readonly version: number;
  /** After the requested version, oldest first. */
  readonly changes: readonly RevocationChange[];
  /** Where the next page begins; `undefined`: this is the last one. */
  readonly next: number | undefined;
}

/**
 * Guarantees, tested by `test/revocation-log-conformance.ts` on every implementation:
 * - **Order.** A change has a higher version than all before. A read returns every change after its version, once for each id.
 * - **Expiry.** A revocation is gone after `untilMs`, a withdrawal after {@link WITHDRAWAL_TTL_MS}; an unused log leaves nothing.
 * - **Bound.** At most `max` revocations and withdrawals.
 */
export interface RevocationLog {
  /**
   * Adds a revocation, or replaces that with its id.
   * @throws {HubbubError} `RATE_LIMITED` when the log is full; `UNAVAILABLE`
   */
  revoke(revocation: Revocation): Promise<void>;
  /** Returns whether there was one. @throws {HubbubError} `RATE_LIMITED`, `UNAVAILABLE` */
  withdraw(target: RevocationTarget): Promise<boolean>;
  /** Adds those that the log does not know, after it lost data. @throws {HubbubError} `RATE_LIMITED`, `UNAVAILABLE` */
  restore(revocations: readonly Revocation[]): Promise<void>;
  /** @param after a version, or `next` of the previous page; 0: from the beginning @throws {HubbubError} `UNAVAILABLE` */
  read(after: number): Promise<RevocationPage>;
}
