/** Finds edges whose lease ran out and has their sessions leave. */
import type { NodeLeases, ReportLog } from '@hubbub/broker';
import { encodeReports, nodeOf } from '@hubbub/protocol';
import type { PresenceMetrics } from './metrics.js';

export interface ReaperOptions {
  readonly leases: NodeLeases;
  readonly log: ReportLog;
  readonly partitions: number;
  readonly metrics: PresenceMetrics;
}

export class Reaper {
  readonly #options: ReaperOptions;

  constructor(options: ReaperOptions) {
    this.#options = options;
  }

  /**
   * Reports each dead incarnation as gone to all partitions, and forgets it when all of them took that. A crash in
   * between repeats it, which changes nothing.
   * @returns when there is something to look for again, in milliseconds
   */
  async reap(): Promise<number> {
    const { leases, log, partitions, metrics } = this.#options;
    const { dead, nextInMs } = await leases.reap();
    if (dead.length === 0) return nextInMs;
    const livingNodes = new Set((await leases.living()).map(lease => nodeOf(lease.incarnation)));
    for (const incarnation of dead) {
      const text = encodeReports({ incarnation, reports: [{ kind: 'node_gone', gone: incarnation }] });
      const refused = await log.append(Array.from({ length: partitions }, (_, partition) => ({ partition, text })));
      if (refused.length > 0) continue; // Full: next time.
      await leases.forget(incarnation);
      metrics.reaped(incarnation, livingNodes.has(nodeOf(incarnation)));
    }
    return nextInMs;
  }
}
