/** The loop of a presence instance: who lives, what is mine, what is new, what is due. One round at a time. */
import type { LogPosition, NodeLeases, OnlineCount, OnlineCounter, ReportLog } from '@hubbub/broker';
import { DeadEdges } from './dead-edges.js';
import { assignedTo, INSTANCE_LEASE_MS, type InstanceLeases } from './instance-leases.js';
import { OwnedPartition, type OwnedPartitionDeps, StaleClaim } from './owned-partition.js';
import type { Claim } from './partition-store.js';

/** How often the instance renews its lease, looks for partitions and for dead edges. */
export const POLL_MS = 1000;
const MIN_POLL_MS = 50;
/** After a round that failed. */
const RETRY_MS = 250;
/** Entries of a partition in one read; an entry holds at most a few hundred reports. */
const READ_ENTRIES = 32;
/** The count of a partition is written when it changed, and so often when not: it expires after minutes. */
export const ONLINE_RENEWAL_MS = 60_000;

export interface OwnerOptions extends OwnedPartitionDeps {
  readonly instance: string;
  readonly log: ReportLog;
  readonly nodeLeases: NodeLeases;
  readonly instanceLeases: InstanceLeases;
  readonly onlineCounter: OnlineCounter;
}

export class Owner {
  readonly #options: OwnerOptions;
  readonly #deadEdges: DeadEdges;
  readonly #owned = new Map<number, OwnedPartition>();
  /** Partitions that this instance has owned at some time: of these it knows that they are lost, and not new. */
  readonly #everOwned = new Set<number>();
  readonly #written = new Map<number, { users: number; atMs: number }>();
  /** Partition that this instance should own and another one holds → since when. */
  readonly #wantedSinceMs = new Map<number, number>();
  #nextPollMs = 0;
  #lastPollMs = Number.POSITIVE_INFINITY;
  #reapFromMs = 0;
  /** The store's clock minus `performance.now()`, which adjustments of the host's clock do not change. */
  #clockOffsetMs = 0;
  #closing = false;
  #healthy = false;
  #wake: () => void = () => {};

  constructor(options: OwnerOptions) {
    this.#options = options;
    const { nodeLeases: leases, log, partitions, metrics } = options;
    this.#deadEdges = new DeadEdges({ leases, log, partitions, metrics });
    metrics.observe({
      partitions: () => partitions,
      ready: () => this.#healthy,
      largestRoster: () => this.#largestRoster(),
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
    const { instance, instanceLeases, partitions } = this.#options;
    const { living, nowMs } = await instanceLeases.renew(instance);
    this.#clockOffsetMs = nowMs - performance.now();
    const assigned = assignedTo(instance, living, partitions);
    await this.#release([...this.#owned.values()].filter(owned => !assigned.has(owned.claim.partition)));
    await this.#claimMissing(assigned, living);
    const nextDeathInMs = await this.#reap(living[0] === instance, nowMs);
    await this.#upkeep();
    // When the next lease runs out, and not up to a second later: its users' grace begins only then.
    this.#nextPollMs = this.#now() + Math.max(MIN_POLL_MS, Math.min(POLL_MS, nextDeathInMs));
  }

  /** The first of the living does it. After an outage edges get the time to renew: no renewal could arrive meanwhile. */
  async #reap(isFirst: boolean, nowMs: number): Promise<number> {
    const { leaseMs } = this.#options.nodeLeases;
    if (nowMs - this.#lastPollMs > POLL_MS + leaseMs / 2) this.#reapFromMs = nowMs + leaseMs / 2;
    this.#lastPollMs = nowMs;
    return isFirst && nowMs >= this.#reapFromMs ? await this.#deadEdges.reap() : POLL_MS;
  }

  async #claimMissing(assigned: ReadonlySet<number>, living: readonly string[]): Promise<void> {
    const { instance, store, nodeLeases, metrics } = this.#options;
    const missing = [...assigned].filter(partition => !this.#owned.has(partition));
    const answers = await Promise.all(
      missing.map(partition => store.claim(partition, instance, this.#isOverdue(partition) ? [] : living)),
    );
    this.#noteHeldByOthers(missing.filter((_, index) => answers[index] === undefined));
    const claims = answers.filter((claim): claim is Claim => claim !== undefined);
    const lost = claims.filter(claim => claim.lost).map(claim => claim.partition);
    if (lost.length > 0) {
      // Before the first commit, which ends the loss: a crash in between must not forget to ask.
      await nodeLeases.fenceAll();
      metrics.edgesFenced(
        lost,
        lost.some(partition => this.#everOwned.has(partition)),
      );
    }
    if (claims.length === 0) return;
    await allDone(
      claims.map(async claim => {
        // Another instance may have written the count since, or Redis has lost it: ours is old.
        this.#written.delete(claim.partition);
        this.#owned.set(claim.partition, await OwnedPartition.open(claim, this.#options, this.#now()));
        this.#everOwned.add(claim.partition);
      }),
    );
    const claimed = claims.map(claim => claim.partition);
    metrics.claimed(claimed, lost);
  }

  /** Its holder lives and should have let go of it long ago: a lost call made it forget that it holds it. */
  #isOverdue(partition: number): boolean {
    return this.#now() - (this.#wantedSinceMs.get(partition) ?? Number.POSITIVE_INFINITY) > INSTANCE_LEASE_MS;
  }

  #noteHeldByOthers(partitions: readonly number[]): void {
    const since = new Map(this.#wantedSinceMs);
    this.#wantedSinceMs.clear();
    for (const partition of partitions) this.#wantedSinceMs.set(partition, since.get(partition) ?? this.#now());
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
    const nowMs = this.#now();
    const steps = [...this.#owned.values()].map(owned => {
      const entries = found.get(owned.claim.partition) ?? [];
      const oldestMs = entries[0]?.appendedAtMs ?? nowMs;
      this.#options.metrics.lag(owned.claim.partition, Math.max(0, nowMs - oldestMs) / 1000);
      return this.#step(owned, () => owned.step(entries, entries.length < READ_ENTRIES, askedAtMs));
    });
    await allDone(steps);
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

  #drop({ claim }: OwnedPartition): void {
    this.#owned.delete(claim.partition);
    this.#options.metrics.left(claim.partition);
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
      if (written?.users !== users || nowMs - written.atMs >= ONLINE_RENEWAL_MS) {
        counts.set(number, { users, fence: owned.claim.fence });
      }
      totals.rooms += owned.partition.rooms.size;
      totals.rosterUsers += owned.partition.rosterUsers;
      totals.usersOnline += users;
    }
    metrics.totals(totals);
    const known = new Map([...this.#owned].map(([number, { partition }]) => [number, partition.incarnations]));
    await this.#deadEdges.reapOrphans(known, nowMs);
    if (counts.size > 0) await onlineCounter.write(counts);
    for (const [number, { users }] of counts) this.#written.set(number, { users, atMs: nowMs });
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

/** Rejects with the first failure, but not before all have ended: nothing of a round may reach into the next. */
async function allDone(tasks: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(tasks)) if (result.status === 'rejected') throw result.reason;
}
