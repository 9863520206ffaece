/** Metrics of histories and recovery. */
import type { GapReason } from '@hubbub/protocol';
import { type MetricsRegistry, metricsKit } from '@hubbub/runtime';

const GAP_REASONS = ['no_history', 'too_old', 'new_epoch', 'too_many'] as const satisfies readonly GapReason[];
const READ_PURPOSES = ['catch_up', 'check', 'replay', 'page'] as const;
type ReadPurpose = (typeof READ_PURPOSES)[number];

export type RecoveryMetrics = ReturnType<typeof createRecoveryMetrics>;

export function createRecoveryMetrics(registry: MetricsRegistry) {
  const { counter, counterBy } = metricsKit(registry);
  const recoveries = counterBy(
    'hubbub_edge_recoveries_total',
    'Positions that sessions sent, by result: recovered, or the reason of the failure.',
    ['recovered', ...GAP_REASONS].map(result => ({ result })),
  );
  const gaps = counterBy(
    'hubbub_edge_room_gaps_total',
    'Gaps that the edge reported to rooms, by reason.',
    GAP_REASONS.map(reason => ({ reason })),
  );
  const reads = counterBy(
    'hubbub_edge_history_reads_total',
    'Reads of histories by purpose: catch_up of this edge, check of a silent room, replay to sessions, page for a client.',
    READ_PURPOSES.map(purpose => ({ purpose })),
  );
  return {
    /** A session named a position. */
    recovery: (result: 'recovered' | GapReason) => recoveries({ result }),
    gap: (reason: GapReason) => gaps({ reason }),
    historyRead: (purpose: ReadPurpose) => reads({ purpose }),
    /** A live message that was delivered already. */
    duplicate: counter(
      'hubbub_edge_duplicates_dropped_total',
      'Live messages dropped because a history read had already delivered them.',
    ),
    catchUp: counter(
      'hubbub_edge_catch_ups_total',
      'Number of times that a room on this edge was, or may have been, behind its history.',
    ),
    /** A replay window was dropped because others needed its memory. */
    windowDropped: counter(
      'hubbub_edge_replay_windows_dropped_total',
      'Replay windows dropped because their total reached HUBBUB_MAX_REPLAY_BYTES; the edge reads them again when needed.',
    ),
  };
}

export function createReplayGauge(registry: MetricsRegistry, replayBytes: () => number): void {
  const { gauge } = metricsKit(registry);
  gauge('hubbub_edge_replay_bytes', 'Bytes of messages kept for replays, over all rooms.', replayBytes);
}
