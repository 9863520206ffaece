/** Leases of presence instances within one process. */
import { INSTANCE_LEASE_MS, type InstanceLeases, type Membership } from '../instance-leases.js';

export interface MemoryInstanceLeasesOptions {
  readonly leaseMs?: number;
  readonly now?: () => number;
}

export class MemoryInstanceLeases implements InstanceLeases {
  readonly #leaseMs: number;
  readonly #now: () => number;
  readonly #expiry = new Map<string, number>();

  constructor(options: MemoryInstanceLeasesOptions = {}) {
    this.#leaseMs = options.leaseMs ?? INSTANCE_LEASE_MS;
    this.#now = options.now ?? Date.now;
  }

  async renew(instance: string): Promise<Membership> {
    const nowMs = this.#now();
    this.#expiry.set(instance, nowMs + this.#leaseMs);
    const living = [...this.#expiry].filter(([, expiresAt]) => expiresAt > nowMs).map(([name]) => name);
    return { living: living.sort(), nowMs, term: '' };
  }

  async release(instance: string): Promise<void> {
    this.#expiry.delete(instance);
  }
}
