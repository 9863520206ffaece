/** Leases of the edges of one process, in memory. */
import { advertisedVersion, FIRST_WIRE_VERSION } from '@hubbub/protocol';
import {
  DEFAULT_NODE_LEASE_MS,
  IdleLeaseKeeper,
  type LeaseKeeper,
  lateCheckMs,
  type NodeLease,
  type NodeLeases,
  type Reaping,
  type WireVersions,
  wireHoldMs,
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
  readonly #wire = { written: FIRST_WIRE_VERSION, lowest: FIRST_WIRE_VERSION, sinceMs: 0, expiresAtMs: 0 };

  constructor(options: MemoryNodeLeasesOptions = {}) {
    this.leaseMs = options.leaseMs ?? DEFAULT_NODE_LEASE_MS;
    this.#now = options.now ?? Date.now;
  }

  async register(incarnation: string): Promise<void> {
    if (!this.#dead.has(incarnation)) this.#expiry.set(incarnation, this.#now() + this.leaseMs);
  }

  async renew(incarnation: string): Promise<number | undefined> {
    if (!this.#expiry.has(incarnation)) return undefined;
    this.#expiry.set(incarnation, this.#now() + this.leaseMs);
    return (await this.wireVersions()).written;
  }

  async release(incarnation: string): Promise<void> {
    this.#expiry.delete(incarnation);
  }

  async reap(presenceReads = FIRST_WIRE_VERSION): Promise<Reaping> {
    const now = this.#now();
    const holdBegan = this.#noteCheck(now);
    this.#writeWireVersion(presenceReads, now);
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

  async wireVersions(): Promise<WireVersions> {
    const { written, lowest, expiresAtMs } = this.#wire;
    if (expiresAtMs <= this.#now()) return { written: FIRST_WIRE_VERSION, lowest: FIRST_WIRE_VERSION };
    return { written, lowest };
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

  /** wire-version.lua has the same rule. */
  #writeWireVersion(presenceReads: number, now: number): void {
    const wire = this.#wire;
    if (wire.expiresAtMs <= now) Object.assign(wire, { written: FIRST_WIRE_VERSION, sinceMs: now });
    wire.lowest = Math.min(presenceReads, ...[...this.#expiry.keys()].map(advertisedVersion));
    if (wire.lowest <= wire.written) Object.assign(wire, { written: wire.lowest, sinceMs: now });
    else if (now - wire.sinceMs >= wireHoldMs(this.leaseMs)) wire.written = wire.lowest;
    wire.expiresAtMs = now + this.leaseMs;
  }

  #declareDead(incarnation: string, dueAt: number): void {
    this.#expiry.delete(incarnation);
    this.#dead.set(incarnation, dueAt);
  }
}
