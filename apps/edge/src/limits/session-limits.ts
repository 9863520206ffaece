/** This edge's settings in the `welcome`: the limits of a session, and the pace of its client. */

import type { Config } from '@hubbub/config';
import { DEFAULT_LIMITS, type Pace, type SessionLimits } from '@hubbub/protocol';

export function sessionLimits(config: Config): SessionLimits {
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

export function proposedPace(config: Config): Pace {
  return {
    ping_interval_ms: config.pingIntervalMs,
    idle_timeout_ms: config.idleTimeoutMs,
    backoff: { base_ms: config.backoffBaseMs, cap_ms: config.backoffCapMs },
  };
}
