/** Claims partitions, and has every edge report again where the registry is lost or may be old. */
import type { NodeLeases, ReportLog } from '@hubbub/broker';
import { INSTANCE_LEASE_MS } from './instance-leases.js';
import { type Outdated, OwnedPartition, type OwnedPartitionDeps } from './owned-partition.js';
import type { Claim } from './partition-store.js';

export interface PartitionClaimsOptions extends OwnedPartitionDeps {
  readonly instance: string;
  readonly log: ReportLog;
  readonly nodeLeases: NodeLeases;
}

export class PartitionClaims {
  readonly #options: PartitionClaimsOptions;
  readonly #owned: Map<number, OwnedPartition>;
  readonly #now: () => number;
  /** Partitions that this instance has owned at some time: of these it knows that they are lost, and not new. */
  readonly #everOwned = new Set<number>();
  /** Partition that this instance should own and another one holds → since when. */
  readonly #wantedSinceMs = new Map<number, number>();
  /** Partitions dropped since their last claim. Their memory counts only if the registry is lost or went back. */
  readonly #dropped = new Map<number, OwnedPartition>();

  /**
   * @param owned to which each claimed partition is added
   * @param now the time of the store
   */
  constructor(options: PartitionClaimsOptions, owned: Map<number, OwnedPartition>, now: () => number) {
    this.#options = options;
    this.#owned = owned;
    this.#now = now;
  }

  /** Partitions that this instance had until a failure. */
  get dropped(): Iterable<number> {
    return this.#dropped.keys();
  }

  /** Keeps the memory of a partition until it is claimed again, by whichever instance. */
  drop(owned: OwnedPartition): void {
    this.#dropped.set(owned.claim.partition, owned);
  }

  /** Claims the partitions of the share that this instance does not own yet. */
  async claim(share: ReadonlySet<number>, living: readonly string[]): Promise<void> {
    const { instance, store, metrics } = this.#options;
    for (const partition of this.#dropped.keys()) if (!share.has(partition)) this.#dropped.delete(partition);
    const missing = [...share].filter(partition => !this.#owned.has(partition));
    const answers = await Promise.all(
      missing.map(partition => store.claim(partition, instance, this.#isOverdue(partition) ? [] : living)),
    );
    this.#noteHeldByOthers(missing.filter((_, index) => answers[index] === undefined));
    const claims = answers.filter((claim): claim is Claim => claim !== undefined);
    const outdated = await this.#outdated(claims);
    await allDone(
      claims.map(async claim => {
        const { partition } = claim;
        const owned = await OwnedPartition.open(claim, this.#options, this.#now(), outdated.get(partition));
        this.#owned.set(partition, owned);
        this.#dropped.delete(partition);
        this.#everOwned.add(partition);
      }),
    );
    const claimed = claims.map(({ partition }) => partition);
    if (claimed.length > 0) metrics.claimed(claimed, outdated.size);
  }

  /** The claims of a registry that is lost or may be old. Has every edge report again if there are any. */
  async #outdated(claims: readonly Claim[]): Promise<Map<number, Outdated>> {
    const { log, nodeLeases, metrics } = this.#options;
    const outdated = new Map<number, Outdated>();
    const deadlinesFromMs = this.#now() + nodeLeases.leaseMs / 2;
    // In this order: what edges report after the fence follows the end of the log.
    await Promise.all(
      claims.map(async claim => {
        const { partition } = claim;
        const former = this.#dropped.get(partition);
        if (!isOutdated(claim, former)) return;
        const logEnd = await log.end(partition);
        outdated.set(partition, { former, logEnd, deadlinesFromMs });
      }),
    );
    if (outdated.size === 0) return outdated;
    // Before the first commit, which makes the partition known: a crash in between would skip the fence.
    await nodeLeases.fenceAll();
    const partitions = [...outdated.keys()];
    metrics.edgesFenced(partitions, {
      lost: claims.filter(claim => claim.lost).length,
      wereKnown: claims.some(
        claim => outdated.has(claim.partition) && (!claim.lost || this.#everOwned.has(claim.partition)),
      ),
    });
    return outdated;
  }

  /** Its holder lives and should have let go of it long ago: a lost call made it forget that it holds it. */
  #isOverdue(partition: number): boolean {
    return this.#now() - (this.#wantedSinceMs.get(partition) ?? Number.POSITIVE_INFINITY) > INSTANCE_LEASE_MS;
  }

  #noteHeldByOthers(partitions: readonly number[]): void {
    const since = new Map(this.#wantedSinceMs);
    this.#wantedSinceMs.clear();
    for (const partition of partitions) {
      this.#wantedSinceMs.set(partition, since.get(partition) ?? this.#now());
      // Its owner has the newer memory.
      this.#dropped.delete(partition);
    }
  }
}

/** A registry without a term may also have gone back: then it has fewer commits than this instance has made. */
function isOutdated({ lost, restored, term, sequence }: Claim, former: OwnedPartition | undefined): boolean {
  if (lost || restored) return true;
  return former !== undefined && (former.claim.term !== term || sequence < former.sequence);
}

/** Rejects with the first failure, but not before all have ended: nothing of a round may reach into the next. */
export async function allDone(tasks: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(tasks)) if (result.status === 'rejected') throw result.reason;
}
