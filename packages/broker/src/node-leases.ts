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
}

/**
 * The living edges, by incarnation (`<node id>/<unique>`). The clock of the store decides.
 *
 * Guarantees, tested by `test/node-leases-conformance.ts` on every implementation:
 * - **Once dead, always dead.** A reaped or fenced incarnation never becomes alive again: `renew` returns false.
 * - **No loss.** From `reap` to `forget` the incarnation is among the dead, even after a crash in between.
 */
export interface NodeLeases {
  /** How long a lease lasts without renewal. */
  readonly leaseMs: number;
  /** @throws {HubbubError} `UNAVAILABLE`, here and in every method below. */
  register(incarnation: string): Promise<void>;
  /** False: this incarnation is fenced, it was declared dead or is not known any more. */
  renew(incarnation: string): Promise<boolean>;
  /** Gone in good order: not declared dead. */
  release(incarnation: string): Promise<void>;
  /** Moves the expired from the living to the dead, and lists all the dead whose turn has come. */
  reap(): Promise<Reaping>;
  /** Call it when the dead edge's sessions have been removed. */
  forget(incarnation: string): Promise<void>;
  /**
   * Declares every living incarnation dead, so that each edge finds out at its next renewal and reports all it holds again.
   * They are listed by `reap` only after a whole lease: the edges that live have spoken for themselves by then.
   */
  fenceAll(): Promise<void>;
  /** Everybody alive. */
  living(): Promise<readonly NodeLease[]>;
}

/** Presence looks when it runs out: an edge is gone well within 10 s (docs/decisions/0001). */
export const DEFAULT_NODE_LEASE_MS = 8000;
