/** The rooms of an edge that are silent: compared with their histories, a few at a time. */
import { type History, MemoryCluster } from '@hubbub/broker';
import { namespaceSettings } from '@hubbub/config';
import { Channels } from '@hubbub/protocol';
import { createMetricsRegistry } from '@hubbub/runtime';
import { expect, test } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import { eventually } from '../../../tests/support/eventually.js';
import { createRecoveryMetrics } from '../src/history/recovery-metrics.js';
import { ReplayMemory } from '../src/history/replay-memory.js';
import { RoomFeeds } from '../src/history/room-feeds.js';

const ROOMS = Array.from({ length: 100 }, (_, n) => `room-${n}`);

test('a hundred silent rooms are looked at eight at a time, and each of them is', async () => {
  const { history } = new MemoryCluster().open();
  const looked = new Set<string>();
  let underWay = 0;
  let most = 0;
  const counted: History = {
    append: append => history.append(append),
    async read(query) {
      looked.add(query.room);
      most = Math.max(most, ++underWay);
      await new Promise(resolve => setImmediate(resolve));
      underWay--;
      return history.read(query);
    },
  };
  const feeds = new RoomFeeds({
    history: counted,
    namespaces: { default: { ...namespaceSettings({}, 'default'), historySize: 10 } },
    channels: new Channels(),
    maxReplayMessages: 100,
    maxBufferedBytes: 100_000,
    replayMemory: new ReplayMemory(1_000_000),
    checkIntervalMs: 20,
    metrics: createRecoveryMetrics(createMetricsRegistry()),
  });
  cleanup(() => feeds.close());
  await Promise.all(ROOMS.map(room => feeds.hold(room)?.refresh()));
  looked.clear();
  most = 0;
  await eventually(() => looked.size === ROOMS.length, { describe: 'every room is looked at' });
  expect(most).toBe(8);
});
