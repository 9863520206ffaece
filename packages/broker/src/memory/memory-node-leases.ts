/** Leases of the edges of one process, in memory. */
import {
  DEFAULT_NODE_LEASE_MS,
  IdleLeaseKeeper,
  type LeaseKeeper,
  lateCheckMs,
  type NodeLease,
  type NodeLeases,
  type Reaping,
} from '../node-leases.js';

export interface MemoryNodeLeasesOptions {
  readonly leaseMs?: number;
  /** Milliseconds; only differences count. */
  readonly now?: () => number;
}

export class MemoryNodeLeases implements NodeLeases {
  readonly leaseMs: number;
  readonly #now: () => number;
  readonly #expiry = new Map<string, number>();
  /** Incarnation → when it may be listed. */
  readonly #dead = new Map<string, number>();
  #checkedAtMs: number | undefined;
  #heldAtMs = Number.NEGATIVE_INFINITY;
  /** When the first of the holds in a row began. */
  #firstHeldAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: MemoryNodeLeasesOptions = {}) {
    this.leaseMs = options.leaseMs ?? DEFAULT_NODE_LEASE_MS;
    this.#now = options.now ?? Date.now;
  }

  async register(incarnation: string): Promise<void> {
    if (!this.#dead.has(incarnation)) this.#expiry.set(incarnation, this.#now() + this.leaseMs);
  }

  async renew(incarnation: string): Promise<boolean> {
    if (!this.#expiry.has(incarnation)) return false;
    this.#expiry.set(incarnation, this.#now() + this.leaseMs);
    return true;
  }

  async release(incarnation: string): Promise<void> {
    this.#expiry.delete(incarnation);
  }

  async reap(): Promise<Reaping> {
    const now = this.#now();
    const holdBegan = this.#noteCheck(now);
    const heldMs = this.#heldAtMs + this.leaseMs / 2 - now;
    for (const [incarnation, expiresAt] of this.#expiry) {
      if (heldMs <= 0 && expiresAt <= now) this.#declareDead(incarnation, now);
    }
    const dead = [...this.#dead].filter(([, dueAt]) => dueAt <= now).map(([incarnation]) => incarnation);
    const ahead = [...this.#expiry.values(), ...[...this.#dead.values()].filter(at => at > now)];
    return { dead, nextInMs: Math.min(...ahead.map(at => Math.max(0, heldMs, at - now))), holdBegan };
  }

  async forget(incarnation: string): Promise<void> {
    this.#dead.delete(incarnation);
  }

  async fenceAll(): Promise<void> {
    for (const incarnation of [...this.#expiry.keys()]) this.#declareDead(incarnation, this.#now() + this.leaseMs);
  }

  async living(): Promise<readonly NodeLease[]> {
    const now = this.#now();
    return [...this.#expiry].map(([incarnation, expiresAt]) => ({ incarnation, expiresInMs: expiresAt - now }));
  }

  async dead(): Promise<readonly string[]> {
    return [...this.#dead.keys()];
  }

  openKeeper(): LeaseKeeper {
    return new IdleLeaseKeeper();
  }

  /** @returns whether a hold began; node-reap.lua has the same rule */
  #noteCheck(now: number): boolean {
    const { leaseMs } = this;
    const checkedAtMs = this.#checkedAtMs ?? now;
    this.#checkedAtMs = now;
    const lateMs = now - checkedAtMs;
    if (lateMs <= lateCheckMs(leaseMs)) return false;
    // Bounded: presence that is always a little late must not keep the dead for ever.
    const goesOn = checkedAtMs < this.#heldAtMs + leaseMs / 2 && now - this.#firstHeldAtMs < 4 * leaseMs;
    const isFirst = lateMs > leaseMs || now - this.#heldAtMs > 2 * leaseMs;
    if (isFirst) this.#firstHeldAtMs = now;
    if (isFirst || goesOn) this.#heldAtMs = now;
    return isFirst || goesOn;
  }

  #declareDead(incarnation: string, dueAt: number): void {
    this.#expiry.delete(incarnation);
    this.#dead.set(incarnation, dueAt);
  }
}
