/** Creates the limits of an edge, and what its `welcome` reports of them. */
import type { Config } from '@hubbub/config';
import { DEFAULT_LIMITS, type Pace, type SessionLimits } from '@hubbub/protocol';
import type { Logger, MetricsRegistry } from '@hubbub/runtime';
import { ConnectionGate } from './connection-gate.js';
import { CostLimits, type SessionCost } from './cost-limits.js';
import { readConnectionBounds } from './descriptors.js';
import { type FrameAllowance, FrameLimits } from './frame-limits.js';
import type { Limited } from './limit-key.js';
import { createLimitGauges, createLimitMetrics } from './limit-metrics.js';
import { Overload } from './overload.js';
import { PublishWindow } from './publish-window.js';

export type Limits = ReturnType<typeof createLimits>;

export function createLimits(
  config: Config,
  { log, metrics: registry }: { readonly log: Logger; readonly metrics: MetricsRegistry },
) {
  const metrics = createLimitMetrics(registry, log);
  const frames = new FrameLimits(config);
  const costs = new CostLimits(config);
  const bounds = readConnectionBounds(config.reservedDescriptors);
  const gate = new ConnectionGate({ ...config, metrics, log, bounds });
  const overload = new Overload({ ...config, log, shedOne: metrics.shed });
  const publishes = new PublishWindow(config);
  createLimitGauges(registry, {
    publishes,
    sessionLimit: () => config.maxSessions,
    shedShare: () => overload.share,
    pressures: () => overload.pressures,
    addresses: () => gate.addresses,
    halfOpen: () => gate.halfOpen,
    used: costs.used,
    buckets: () => frames.size(performance.now()) + costs.size(performance.now()),
  });
  return {
    session: sessionLimits(config),
    pace: proposedPace(config),
    frames,
    costs,
    gate,
    overload,
    publishes,
    metrics,
    /** Gives back what a session that ends holds. */
    release(session: Limited & LimitedUse): void {
      const nowMs = performance.now();
      if (session.allowance !== undefined) frames.close(session, session.allowance, nowMs);
      if (session.cost !== undefined) costs.close(session.cost, nowMs);
    },
  };
}

interface LimitedUse {
  readonly allowance: FrameAllowance | undefined;
  readonly cost: SessionCost | undefined;
}

function sessionLimits(config: Config): SessionLimits {
  return {
    ...DEFAULT_LIMITS,
    max_frame_bytes: config.maxFrameBytes,
    max_frames_per_second: config.maxFramesPerSecond,
    max_frames_burst: config.maxFramesBurst,
    max_rooms: config.maxRooms,
    max_payload_depth: config.maxPayloadDepth,
    max_payload_keys: config.maxPayloadKeys,
    max_buffered_bytes: config.maxBufferedBytes,
    idle_timeout_ms: config.idleTimeoutMs,
    roster_page_size: config.rosterPageSize,
    max_replay_messages: config.maxReplayMessages,
    history_page_size: config.historyPageSize,
  };
}

function proposedPace(config: Config): Pace {
  return {
    ping_interval_ms: config.pingIntervalMs,
    idle_timeout_ms: config.idleTimeoutMs,
    backoff: { base_ms: config.backoffBaseMs, cap_ms: config.backoffCapMs },
  };
}
