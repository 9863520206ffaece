/** What an edge measures of histories and recovery. */
import type { GapReason } from '@hubbub/protocol';
import type { MetricsRegistry } from '@hubbub/runtime';
import { Counter, Gauge } from 'prom-client';

const GAP_REASONS = ['no_history', 'too_old', 'new_epoch', 'too_many'] as const satisfies readonly GapReason[];
const READ_PURPOSES = ['catch_up', 'check', 'replay', 'page'] as const;

export interface RoomMetrics {
  /** A session named a position. */
  recovery(result: 'recovered' | GapReason): void;
  gap(reason: GapReason): void;
  historyRead(purpose: (typeof READ_PURPOSES)[number]): void;
  /** A live message that was delivered already. */
  duplicate(): void;
  catchUp(): void;
  /** A replay window was dropped because others needed its memory. */
  windowDropped(): void;
}

export interface RecoveryMetrics extends RoomMetrics {
  /** Where the gauges read from. */
  observe(gauges: { replayBytes(): number }): void;
}

export function createRecoveryMetrics(registry: MetricsRegistry): RecoveryMetrics {
  const registers = [registry];
  const recoveries = new Counter({
    name: 'hubbub_edge_recoveries_total',
    help: 'Positions that sessions sent, by result: recovered, or the reason of the failure.',
    labelNames: ['result'] as const,
    registers,
  });
  const gaps = new Counter({
    name: 'hubbub_edge_room_gaps_total',
    help: 'Gaps that the edge reported to rooms, by reason.',
    labelNames: ['reason'] as const,
    registers,
  });
  const reads = new Counter({
    name: 'hubbub_edge_history_reads_total',
    help: 'Reads of histories by purpose: catch_up of this edge, check of a silent room, replay to sessions, page for a client.',
    labelNames: ['purpose'] as const,
    registers,
  });
  const duplicates = new Counter({
    name: 'hubbub_edge_duplicates_dropped_total',
    help: 'Live messages dropped because a history read had already delivered them.',
    registers,
  });
  const catchUps = new Counter({
    name: 'hubbub_edge_catch_ups_total',
    help: 'Number of times that a room on this edge was, or may have been, behind its history.',
    registers,
  });
  const windowsDropped = new Counter({
    name: 'hubbub_edge_replay_windows_dropped_total',
    help: 'Replay windows dropped because their total reached HUBBUB_MAX_REPLAY_BYTES; the edge reads them again when needed.',
    registers,
  });
  let replayBytes = (): number => 0;
  new Gauge({
    name: 'hubbub_edge_replay_bytes',
    help: 'Bytes of messages kept for replays, over all rooms.',
    registers,
    collect() {
      this.set(replayBytes());
    },
  });
  // Counted from 0, so that the first one is a rise that can be seen.
  for (const result of ['recovered', ...GAP_REASONS]) recoveries.inc({ result }, 0);
  for (const reason of GAP_REASONS) gaps.inc({ reason }, 0);
  for (const purpose of READ_PURPOSES) reads.inc({ purpose }, 0);
  return {
    recovery: result => recoveries.inc({ result }),
    gap: reason => gaps.inc({ reason }),
    historyRead: purpose => reads.inc({ purpose }),
    duplicate: () => duplicates.inc(),
    catchUp: () => catchUps.inc(),
    windowDropped: () => windowsDropped.inc(),
    observe: gauges => {
      replayBytes = gauges.replayBytes;
    },
  };
}
