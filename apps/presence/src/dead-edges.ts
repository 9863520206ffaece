/** Reports the sessions of dead edges as gone: edges whose lease ran out, and incarnations without a lease. */
import type { NodeLeases, ReportLog } from '@hubbub/broker';
import { encodeReports, nodeOf } from '@hubbub/protocol';
import type { PresenceMetrics } from './metrics.js';
import type { WireState } from './wire-state.js';

export interface DeadEdgesOptions {
  readonly leases: NodeLeases;
  readonly log: ReportLog;
  readonly partitions: number;
  readonly metrics: PresenceMetrics;
  readonly wire: Pick<WireState, 'written'>;
}

export class DeadEdges {
  readonly #options: DeadEdgesOptions;
  /** Incarnation → since when it is known to have no lease. */
  #missingSinceMs = new Map<string, number>();
  #nextOrphanCheckMs = 0;

  constructor(options: DeadEdgesOptions) {
    this.#options = options;
  }

  /**
   * Reports each dead incarnation as gone to all partitions, and forgets it when all of them took that. A crash in
   * between repeats it, which changes nothing.
   * @param presenceReads the wire version that all instances read
   * @returns when the next lease runs out, in milliseconds
   */
  async reap(presenceReads: number): Promise<number> {
    const { leases, partitions, metrics } = this.#options;
    const { dead, nextInMs, holdBegan } = await leases.reap(presenceReads);
    if (holdBegan) metrics.reapingHeld(leases.leaseMs / 2);
    if (dead.length === 0) return nextInMs;
    const livingNodes = new Set((await leases.living()).map(lease => nodeOf(lease.incarnation)));
    for (const incarnation of dead) {
      const all = Array.from({ length: partitions }, (_, partition) => partition);
      if (!(await this.#reportGone(incarnation, all))) continue;
      await leases.forget(incarnation);
      metrics.reaped(incarnation, livingNodes.has(nodeOf(incarnation)));
    }
    return nextInMs;
  }

  /**
   * Reports incarnations that have sessions in the registry and no lease. Redis lost the lease, the edge reported again
   * before it noticed, and died before it could resync. No other part would remove them.
   *
   * It waits a whole lease first: by then a living edge has reported everything again, and the end of its former incarnation
   * goes unnoticed.
   * @param known Partition → the incarnations that have sessions in it.
   */
  async reapOrphans(known: ReadonlyMap<number, readonly string[]>, nowMs: number): Promise<void> {
    const { leases, metrics } = this.#options;
    if (nowMs < this.#nextOrphanCheckMs) return;
    const living = new Set((await leases.living()).map(({ incarnation }) => incarnation));
    const missing = new Map<string, number>();
    for (const [partition, incarnations] of known) {
      for (const incarnation of incarnations) {
        if (living.has(incarnation)) continue;
        const sinceMs = this.#missingSinceMs.get(incarnation) ?? nowMs;
        missing.set(incarnation, sinceMs);
        if (nowMs - sinceMs < leases.leaseMs) continue;
        if (await this.#reportGone(incarnation, [partition])) metrics.orphaned(incarnation);
      }
    }
    this.#missingSinceMs = missing;
    this.#nextOrphanCheckMs = nowMs + leases.leaseMs / 2;
  }

  /** Returns false when a log was full: the next check reports again. */
  async #reportGone(incarnation: string, partitions: readonly number[]): Promise<boolean> {
    const { log, wire } = this.#options;
    const text = encodeReports({ incarnation, reports: [{ kind: 'node_gone', gone: incarnation }] }, wire.written);
    const results = await log.append(partitions.map(partition => ({ partition, text })));
    return results.every(({ taken }) => taken);
  }
}
