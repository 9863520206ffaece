/** The loop of a presence instance: who lives, what is mine, what is new, what is due. One round at a time. */
import { CHECK_INTERVAL_MS, type LogPosition, type OnlineCount, type OnlineCounter } from '@hubbub/broker';
import { DeadEdges } from './dead-edges.js';
import { assignedTo, INSTANCE_LEASE_MS, type InstanceLeases } from './instance-leases.js';
import { type OwnedPartition, StaleClaim } from './owned-partition.js';
import { allDone, PartitionClaims, type PartitionClaimsOptions } from './partition-claims.js';
import { readByAll, WireState } from './wire-state.js';

/** How often the instance renews its lease, looks for partitions and for dead edges. */
export const POLL_MS = CHECK_INTERVAL_MS;
const MIN_POLL_MS = 50;
/** After a round that failed. */
const RETRY_MS = 250;
/** Entries of a partition in one read; an entry holds at most a few hundred reports. */
const READ_ENTRIES = 32;
/** Partitions that commit simultaneously: one commits while Redis executes another's. More only keep garbage alive for longer. */
const STEPS_IN_FLIGHT = 2;
/**
 * Pause after a round: for each entry that it read, and at most. Below 250 entries a second it is nearly nothing. Above, each
 * commit has several reports, which costs presence and Redis less (docs/decisions/0001).
 */
const PAUSE_MS = { perEntry: 4, max: 50 };
/** The count of a partition is written when it changed, and so often when not: it expires after minutes. */
export const ONLINE_RENEWAL_MS = 60_000;

export interface OwnerOptions extends Omit<PartitionClaimsOptions, 'wire'> {
  readonly instanceLeases: InstanceLeases;
  readonly onlineCounter: OnlineCounter;
}

export class Owner {
  readonly #options: OwnerOptions;
  readonly #deadEdges: DeadEdges;
  readonly #claims: PartitionClaims;
  readonly #wire = new WireState();
  readonly #owned = new Map<number, OwnedPartition>();
  readonly #written = new Map<number, OnlineCount & { readonly atMs: number }>();
  #nextPollMs = 0;
  #term: string | undefined;
  /** The leases of instances are complete from then on. */
  #sharesFromMs = 0;
  /** The store's clock minus `performance.now()`, which adjustments of the host's clock do not change. */
  #clockOffsetMs = 0;
  /** When the next round may begin, of a clock that never goes back. */
  #nextRoundMs = 0;
  #closing = false;
  #healthy = false;
  #wake: () => void = () => {};

  constructor(options: OwnerOptions) {
    this.#options = options;
    const { nodeLeases: leases, log, partitions, metrics } = options;
    this.#deadEdges = new DeadEdges({ leases, log, partitions, metrics, wire: this.#wire });
    this.#claims = new PartitionClaims({ ...options, wire: this.#wire }, this.#owned, () => this.#now());
    metrics.observe({
      partitions: () => partitions,
      ready: () => this.#healthy,
      largestRoster: () => this.#largestRoster(),
      wire: this.#wire,
    });
  }

  /** Whether the last round succeeded: red while Redis does not answer. */
  get healthy(): boolean {
    return this.#healthy;
  }

  get owned(): ReadonlyMap<number, OwnedPartition> {
    return this.#owned;
  }

  /** Runs rounds until `stop`, then hands over what it owns. Never rejects: a failed round is counted and tried again. */
  async run(): Promise<void> {
    while (!this.#closing) {
      try {
        const pauseMs = this.#nextRoundMs - performance.now();
        if (pauseMs > 0) await this.#pause(pauseMs);
        if (this.#now() >= this.#nextPollMs) await this.#poll();
        this.#healthy = true;
        await this.#round();
      } catch (error) {
        this.#healthy = false;
        this.#options.metrics.failed(error);
        await this.#pause(RETRY_MS);
      }
    }
    await this.#handOver();
  }

  /** Makes `run` end after the round at hand. */
  stop(): void {
    this.#closing = true;
    this.#wake();
  }

  async #poll(): Promise<void> {
    const { instance, instanceLeases, nodeLeases, partitions } = this.#options;
    const { living, nowMs, term } = await instanceLeases.renew(instance);
    this.#clockOffsetMs = nowMs - performance.now();
    if (this.#term !== undefined && this.#term !== term) this.#registryReplaced(nowMs);
    this.#term = term;
    const mine = new Set([...this.#owned.keys(), ...this.#claims.dropped]);
    const share = nowMs < this.#sharesFromMs ? mine : assignedTo(instance, living, partitions);
    await this.#release([...this.#owned.values()].filter(owned => !share.has(owned.claim.partition)));
    await this.#claims.claim(share, living);
    // The first of the living does it.
    const nextDeathInMs = living[0] === instance ? await this.#deadEdges.reap(readByAll(living)) : POLL_MS;
    this.#wire.update(await nodeLeases.wireVersions());
    // Without its lease, an edge reports everything again, in the version that this instance now reads.
    for (const incarnation of this.#wire.takeMissed(nowMs)) await nodeLeases.release(incarnation);
    await this.#upkeep();
    // When the next lease runs out, and not up to a second later: its users' grace begins only then.
    this.#nextPollMs = this.#now() + Math.max(MIN_POLL_MS, Math.min(POLL_MS, nextDeathInMs));
  }

  /**
   * Redis restarted or failed over, and its data may be old. Partitions stay where they are until restored leases of
   * instances have expired.
   */
  #registryReplaced(nowMs: number): void {
    for (const owned of [...this.#owned.values()]) this.#drop(owned);
    this.#sharesFromMs = nowMs + INSTANCE_LEASE_MS;
  }

  async #round(): Promise<void> {
    const positions = new Map<number, LogPosition>();
    let nextMs = this.#nextPollMs;
    for (const [partition, owned] of this.#owned) {
      positions.set(partition, owned.position);
      nextMs = Math.min(nextMs, owned.nextTickMs);
    }
    // A report that is not in the answer was appended after this: only deadlines before it may be applied.
    const askedAtMs = this.#now();
    const waitMs = Math.max(0, Math.ceil(nextMs - askedAtMs));
    if (positions.size === 0) {
      await this.#pause(waitMs);
      return;
    }
    if (this.#closing) return;
    const found = await this.#unlessStopped(this.#options.log.read(positions, { waitMs, limit: READ_ENTRIES }));
    if (found === undefined) return;
    this.#nextRoundMs = performance.now() + pauseAfterMs([...found.values()].map(entries => entries.length));
    const nowMs = this.#now();
    const waiting = [...this.#owned.values()];
    const stepAll = async (): Promise<void> => {
      for (let owned = waiting.shift(); owned !== undefined; owned = waiting.shift()) await stepOne(owned);
    };
    const stepOne = (owned: OwnedPartition): Promise<void> => {
      const entries = found.get(owned.claim.partition) ?? [];
      const oldestMs = entries[0]?.appendedAtMs ?? nowMs;
      this.#options.metrics.lag(owned.claim.partition, Math.max(0, nowMs - oldestMs) / 1000);
      return this.#step(owned, () => owned.step(entries, entries.length < READ_ENTRIES, askedAtMs));
    };
    await allDone(Array.from({ length: STEPS_IN_FLIGHT }, stepAll));
  }

  /** After any error the partition in memory may be ahead of the registry: it is dropped and loaded again. */
  async #step(owned: OwnedPartition, step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.#drop(owned);
      if (!(error instanceof StaleClaim)) throw error;
      this.#options.metrics.stale(owned.claim.partition);
    }
  }

  #drop(owned: OwnedPartition): void {
    const { partition } = owned.claim;
    this.#owned.delete(partition);
    this.#claims.drop(owned);
    this.#options.metrics.left(partition);
    this.#nextPollMs = 0;
  }

  /** Periodic work: renew, trim, count. */
  async #upkeep(): Promise<void> {
    const { log, metrics, onlineCounter } = this.#options;
    const nowMs = this.#now();
    const counts = new Map<number, OnlineCount>();
    const totals = { owned: this.#owned.size, rooms: 0, rosterUsers: 0, usersOnline: 0 };
    for (const [number, owned] of this.#owned) {
      if (!(await owned.renew(nowMs))) {
        this.#drop(owned);
        metrics.stale(number);
        continue;
      }
      await owned.trim(log);
      const users = owned.partition.online;
      const written = this.#written.get(number);
      const { fence } = owned.claim;
      // After another claim Redis may have the count of another instance, or an old one.
      const isWritten = written?.users === users && written.fence === fence;
      if (!isWritten || nowMs - written.atMs >= ONLINE_RENEWAL_MS) counts.set(number, { users, fence });
      totals.rooms += owned.partition.rooms.size;
      totals.rosterUsers += owned.partition.rosterUsers;
      totals.usersOnline += users;
    }
    metrics.totals(totals);
    const known = new Map([...this.#owned].map(([number, { partition }]) => [number, partition.incarnations]));
    await this.#deadEdges.reapOrphans(known, nowMs);
    if (counts.size > 0) await onlineCounter.write(counts);
    for (const [number, count] of counts) this.#written.set(number, { ...count, atMs: nowMs });
  }

  async #release(partitions: readonly OwnedPartition[]): Promise<void> {
    if (partitions.length === 0) return;
    for (const { claim } of partitions) {
      this.#owned.delete(claim.partition);
      this.#options.metrics.left(claim.partition);
      await this.#options.store.release(claim);
    }
    this.#options.metrics.released(partitions.map(({ claim }) => claim.partition));
  }

  async #handOver(): Promise<void> {
    try {
      await this.#release([...this.#owned.values()]);
      await this.#options.instanceLeases.release(this.#options.instance);
    } catch (error) {
      this.#options.metrics.failed(error); // The lease runs out by itself.
    }
  }

  #largestRoster(): number {
    let largest = 0;
    for (const { partition } of this.#owned.values()) {
      for (const room of partition.rooms.values()) largest = Math.max(largest, room.members.size);
    }
    return largest;
  }

  #now(): number {
    // Whole milliseconds: lifecycle events contain the time, and their readers accept only integers.
    return Math.floor(performance.now() + this.#clockOffsetMs);
  }

  /** A read may wait for a second, a stop need not: the next owner reads the same reports again. */
  #unlessStopped<T>(reading: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.#wake = () => resolve(undefined);
      reading.then(resolve, reject);
    });
  }

  async #pause(ms: number): Promise<void> {
    if (this.#closing) return;
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** @param read entries of each partition */
function pauseAfterMs(read: readonly number[]): number {
  if (read.some(entries => entries >= READ_ENTRIES)) return 0; // More wait already.
  return Math.min(PAUSE_MS.max, PAUSE_MS.perEntry * read.reduce((sum, entries) => sum + entries, 0));
}
