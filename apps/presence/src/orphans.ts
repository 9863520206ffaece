/**
 * Finds incarnations that have sessions in the registry and no lease. Redis lost the lease, the edge reported again before it
 * noticed, and died before it could resync. No other part would remove them.
 */
import type { NodeLeases, ReportLog } from '@hubbub/broker';
import { encodeReports } from '@hubbub/protocol';
import type { PresenceMetrics } from './metrics.js';

export interface OrphansOptions {
  readonly leases: NodeLeases;
  readonly log: ReportLog;
  readonly metrics: PresenceMetrics;
}

export class Orphans {
  readonly #options: OrphansOptions;
  /** Incarnation → since when it is known to have no lease. */
  #missingSinceMs = new Map<string, number>();
  #nextCheckMs = 0;

  constructor(options: OrphansOptions) {
    this.#options = options;
  }

  /**
   * Reports incarnations without a lease as gone to the partitions that have their sessions. It waits a whole lease first: by
   * then a living edge has reported everything again, and the end of its former incarnation goes unnoticed.
   * @param known Partition → the incarnations that have sessions in it.
   */
  async check(known: ReadonlyMap<number, readonly string[]>, nowMs: number): Promise<void> {
    const { leases, log, metrics } = this.#options;
    if (nowMs < this.#nextCheckMs) return;
    const living = new Set((await leases.living()).map(({ incarnation }) => incarnation));
    const missing = new Map<string, number>();
    for (const [partition, incarnations] of known) {
      for (const incarnation of incarnations) {
        if (living.has(incarnation)) continue;
        const sinceMs = this.#missingSinceMs.get(incarnation) ?? nowMs;
        missing.set(incarnation, sinceMs);
        if (nowMs - sinceMs < leases.leaseMs) continue;
        const text = encodeReports({ incarnation, reports: [{ kind: 'node_gone', gone: incarnation }] });
        // A log that is full takes it next time.
        if ((await log.append([{ partition, text }])).length === 0) metrics.orphaned(incarnation);
      }
    }
    this.#missingSinceMs = missing;
    this.#nextCheckMs = nowMs + leases.leaseMs / 2;
  }
}
