/** Creates what an edge does with the histories of rooms: feeds of live messages, replays, and pages for clients. */
import type { History } from '@hubbub/broker';
import type { Config } from '@hubbub/config';
import type { Channels } from '@hubbub/protocol';
import type { MetricsRegistry } from '@hubbub/runtime';
import { HistoryReader } from './history-reader.js';
import { createJoinFeed } from './join-feed.js';
import { createRecoveryMetrics, createReplayGauge } from './recovery-metrics.js';
import { ReplayMemory } from './replay-memory.js';
import { ReplayTurns } from './replay-turns.js';
import { RoomFeeds, type RoomFeedsOptions } from './room-feeds.js';

export interface HistoriesParts extends Pick<RoomFeedsOptions, 'deliver' | 'reportGap' | 'reportCrossing'> {
  readonly history: History;
  readonly channels: Channels;
  readonly metrics: MetricsRegistry;
}

export function createHistories(config: Config, { history, channels, metrics: registry, ...reports }: HistoriesParts) {
  const { namespaces, maxReplayMessages, maxBufferedBytes, historyCheckIntervalMs: checkIntervalMs } = config;
  const metrics = createRecoveryMetrics(registry);
  const replayMemory = new ReplayMemory(config.maxReplayBytes, metrics.windowDropped);
  createReplayGauge(registry, () => replayMemory.bytes);
  const bounds = { maxReplayMessages, maxBufferedBytes, metrics };
  const feeds = new RoomFeeds({
    ...bounds,
    history,
    namespaces,
    channels,
    replayMemory,
    checkIntervalMs,
    ...reports,
  });
  return {
    feeds,
    joinFeed: createJoinFeed({ ...bounds, turns: new ReplayTurns() }),
    reader: new HistoryReader(history, namespaces, metrics),
    metrics,
  };
}
