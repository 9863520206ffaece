/** The load of this edge, for the list of nodes. */
import type { NodeLoad } from '@hubbub/protocol/account';

export interface LoadSources {
  readonly sessions: { readonly size: number };
  readonly rooms: () => number;
  readonly subscriptions: () => number;
  readonly shedShare: () => number;
  readonly state: () => string;
  readonly ready: () => boolean;
}

/** Each reading covers the time since the one before. */
export function createLoadReader(sources: LoadSources): () => NodeLoad {
  let before = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    return {
      sessions: sources.sessions.size,
      rooms: sources.rooms(),
      subscriptions: sources.subscriptions(),
      loop_utilization: Math.min(1, Math.max(0, Number.isFinite(utilization) ? utilization : 0)),
      shed_share: sources.shedShare(),
      resident_bytes: process.memoryUsage.rss(),
      state: sources.state(),
      ready: sources.ready(),
    };
  };
}
