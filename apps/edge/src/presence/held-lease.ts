/** The lease of this edge's incarnation: renewed by a timer, before reports, and by a thread while the event loop is late. */
import type { LeaseKeeper, NodeLeases } from '@hubbub/broker';
import { PREVIOUS_WIRE_VERSION, writableVersion } from '@hubbub/protocol';

export interface HeldLeaseOptions {
  readonly leases: NodeLeases;
  /** The incarnation was declared dead, or Redis does not know it. */
  onFenced(): void;
}

export const RENEWALS_PER_LEASE = 4;
/** A turn that comes a little early need not wait for the next one. */
const TURN_TOLERANCE_MS = 50;
/** A report renews a lease that is older than this part of it: an edge whose reports arrive is alive. */
const REPORT_RENEWALS_PER_LEASE = 8;
/**
 * After a renewal that failed. An edge is back soon after Redis is: by then presence may have declared its incarnation dead,
 * and the graces of its users run. Well below the grace of a resync (apps/presence, departures.ts).
 */
export const RETRY_MAX_MS = 500;

export class HeldLease {
  readonly #options: HeldLeaseOptions;
  readonly #keeper: LeaseKeeper;
  #incarnation = '';
  #askedAtMs = 0;
  /** As the renewal has returned that was asked for at `#versionAtMs`. */
  #wireVersion = PREVIOUS_WIRE_VERSION;
  #versionAtMs = 0;
  #hasFailed = false;
  #pending = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: HeldLeaseOptions) {
    this.#options = options;
    this.#keeper = options.leases.openKeeper();
  }

  /** Whether the lease cannot have run out yet. Otherwise renew it before reporting anything. */
  get isFresh(): boolean {
    return this.#keeper.sinceRenewalMs() <= this.#options.leases.leaseMs;
  }

  /** The version in which this edge writes: the previous one unless a renewal was answered within the last lease. */
  get wireVersion(): number {
    return this.#wireVersion;
  }

  /** Renewals by the thread, because the event loop was late. */
  get lateRenewals(): number {
    return this.#keeper.renewals;
  }

  start(): void {
    const { leaseMs } = this.#options.leases;
    this.#keeper.noteTurn();
    this.#timer = setInterval(() => this.#turn(), Math.min(RETRY_MAX_MS, leaseMs / RENEWALS_PER_LEASE));
  }

  /** Begins the lease of a new incarnation. @throws {HubbubError} `UNAVAILABLE` */
  async begin(incarnation: string): Promise<void> {
    const askedAtMs = performance.now();
    await this.#options.leases.register(incarnation);
    this.#incarnation = incarnation;
    this.#wireVersion = PREVIOUS_WIRE_VERSION;
    this.#hasFailed = false;
    this.#noteRenewal(askedAtMs);
  }

  /** Stops renewing, without giving the lease up. */
  end(): void {
    this.#incarnation = '';
  }

  /** Call it before reports are sent: on the same connection, the renewal reaches Redis first. */
  renewForReports(): void {
    const { leaseMs } = this.#options.leases;
    if (performance.now() - this.#askedAtMs >= leaseMs / REPORT_RENEWALS_PER_LEASE) void this.renew();
  }

  /** @returns whether the incarnation still holds its lease. False when that is unknown, too. */
  async renew(): Promise<boolean> {
    const incarnation = this.#incarnation;
    if (incarnation === '') return false;
    const askedAtMs = performance.now();
    this.#askedAtMs = askedAtMs;
    let version: number | undefined;
    this.#pending++;
    try {
      version = await this.#options.leases.renew(incarnation);
    } catch {
      // Presence decides when a lease has run out: it waits for edges after an outage of Redis.
      this.#hasFailed = true;
      return false;
    } finally {
      this.#pending--;
    }
    if (incarnation !== this.#incarnation) return false;
    this.#hasFailed = false;
    if (version === undefined) {
      this.#options.onFenced();
      return false;
    }
    this.#wireVersion = writableVersion(version);
    this.#versionAtMs = askedAtMs;
    this.#noteRenewal(askedAtMs);
    return true;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.end();
    await this.#keeper.close();
  }

  #turn(): void {
    const { leaseMs } = this.#options.leases;
    this.#keeper.noteTurn();
    if (performance.now() - this.#versionAtMs > leaseMs) this.#wireVersion = PREVIOUS_WIRE_VERSION;
    const isDue = performance.now() - this.#askedAtMs >= leaseMs / RENEWALS_PER_LEASE - TURN_TOLERANCE_MS;
    if (isDue || (this.#hasFailed && this.#pending === 0)) void this.renew();
  }

  #noteRenewal(askedAtMs: number): void {
    this.#askedAtMs = askedAtMs;
    this.#keeper.noteRenewal(this.#incarnation, performance.now() - askedAtMs);
  }
}
