/** Leases of edges: one each, however many sessions it holds. An edge that does not renew is dead, and learns so when it wakes. */

export interface NodeLease {
  readonly incarnation: string;
  /** Negative when it is overdue and not yet reaped. */
  readonly expiresInMs: number;
}

export interface Reaping {
  /** All the dead whose turn has come. */
  readonly dead: readonly string[];
  /** When the next lease runs out unless it is renewed, or the turn of a dead one comes; `Infinity`: never. */
  readonly nextInMs: number;
  /** Whether this check was late, and began a hold: no edge is declared dead for half a lease. */
  readonly holdBegan: boolean;
}

/** The wire versions of a cluster (docs/decisions/0017). */
export interface WireVersions {
  /** The version to write: every living node reads it. */
  readonly written: number;
  /** The highest version that every living node reads. */
  readonly lowest: number;
}

/**
 * The living edges, by incarnation (`<node id>/<unique>.v<wire version>`). The clock of the store decides.
 *
 * Guarantees, tested by `test/node-leases-conformance.ts` on every implementation:
 * - **Once dead, always dead.** A reaped or fenced incarnation never becomes alive again: `renew` returns `undefined`.
 * - **No loss.** From `reap` to `forget` the incarnation is among the dead, even after a crash in between.
 * - **A chance to renew.** After a gap between two `reap` of more than `lateCheckMs`, no edge dies for half a lease. Gaps in a row
 *   prolong that, for at most four leases.
 * - **Readable.** The version that `renew` returns is not above what the living read at the last `reap`. It rises when all have read
 *   the higher one for `wireHoldMs`, and is 1 a lease after the last `reap`.
 */
export interface NodeLeases {
  /** How long a lease lasts without renewal. */
  readonly leaseMs: number;
  /** @throws {HubbubError} `UNAVAILABLE`, here and in every method below. */
  register(incarnation: string): Promise<void>;
  /**
   * @returns the wire version to write until the next renewal; `undefined`: this incarnation is fenced, it was declared dead or
   * is not known any more.
   */
  renew(incarnation: string): Promise<number | undefined>;
  /** Gone in good order: not declared dead. */
  release(incarnation: string): Promise<void>;
  /**
   * Moves the expired from the living to the dead, and lists all the dead whose turn has come. Call it every
   * `CHECK_INTERVAL_MS` or more often: a gap counts as a time in which edges could not renew. Decides the version that nodes write.
   * @param presenceReads the wire version that all instances of presence read. Default: the first.
   */
  reap(presenceReads?: number): Promise<Reaping>;
  /** As the last `reap` has decided. */
  wireVersions(): Promise<WireVersions>;
  /** Call it when the dead edge's sessions have been removed. */
  forget(incarnation: string): Promise<void>;
  /**
   * Declares every living incarnation dead, so that each edge finds out at its next renewal and reports all it holds again.
   * They are listed by `reap` only after a whole lease: the edges that live have spoken for themselves by then.
   */
  fenceAll(): Promise<void>;
  /** Everybody alive. */
  living(): Promise<readonly NodeLease[]>;
  /** Everybody that was declared dead, whether its turn has come or not, until `forget`. */
  dead(): Promise<readonly string[]>;
  /** Opens the keeper of this process's own lease: one for each process, to be closed. */
  openKeeper(): LeaseKeeper;
}

/**
 * Renews the lease of a process while its event loop is late to: a busy edge is not a dead edge. It stops when the event loop
 * has not turned for two leases: a frozen edge is a dead one.
 */
export interface LeaseKeeper {
  /** How often it renewed. */
  readonly renewals: number;
  /** Milliseconds since the lease was renewed, by whichever thread. */
  sinceRenewalMs(): number;
  /** The event loop turned. Call it a few times in each lease. */
  noteTurn(): void;
  /** The event loop renewed or began this lease `agoMs` before; the former one is not kept any more. */
  noteRenewal(incarnation: string, agoMs: number): void;
  close(): Promise<void>;
}

/** For leases that no other process can take away: only notes the time. */
export class IdleLeaseKeeper implements LeaseKeeper {
  readonly renewals = 0;
  #renewedAtMs = Number.NEGATIVE_INFINITY;

  sinceRenewalMs(): number {
    return performance.now() - this.#renewedAtMs;
  }

  noteTurn(): void {}

  noteRenewal(_incarnation: string, agoMs: number): void {
    this.#renewedAtMs = performance.now() - agoMs;
  }

  async close(): Promise<void> {}
}

/** Presence looks when it runs out: an edge is gone well within 10 s (docs/decisions/0001). */
export const DEFAULT_NODE_LEASE_MS = 8000;

/** Between two checks for expired leases (apps/presence, owner.ts). */
export const CHECK_INTERVAL_MS = 1000;

/** A check is late when an edge that missed one renewal meanwhile has little time left for the next. */
export function lateCheckMs(leaseMs: number): number {
  return CHECK_INTERVAL_MS + leaseMs / 4;
}

/**
 * Time for which all nodes must have read a higher wire version before nodes write it. A node of the release before may be
 * between two incarnations, or its successor may not have started.
 */
export function wireHoldMs(leaseMs: number): number {
  return 8 * leaseMs;
}
