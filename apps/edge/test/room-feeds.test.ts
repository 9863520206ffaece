/** The feeds of an edge: kept while they have a holder, and compared with their histories while they are silent. */
import { type History, MemoryCluster } from '@hubbub/broker';
import { namespaceSettings } from '@hubbub/config';
import { Channels, encodeEnvelope } from '@hubbub/protocol';
import { createMetricsRegistry } from '@hubbub/runtime';
import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import { createRecoveryMetrics } from '../src/history/recovery-metrics.js';
import { ReplayMemory } from '../src/history/replay-memory.js';
import { RoomFeeds, type RoomFeedsOptions } from '../src/history/room-feeds.js';

const ROOMS = Array.from({ length: 100 }, (_, n) => `room-${n}`);

interface FeedsOptions
  extends Partial<Pick<RoomFeedsOptions, 'checkIntervalMs' | 'deliver' | 'reportGap' | 'reportCrossing'>> {
  readonly historySize?: number;
}

function startFeeds(history: History, options: FeedsOptions = {}): RoomFeeds {
  const {
    historySize = 10,
    checkIntervalMs = 60_000,
    deliver = () => {},
    reportGap = () => {},
    reportCrossing = () => {},
  } = options;
  const feeds = new RoomFeeds({
    history,
    namespaces: { default: { ...namespaceSettings({}, 'default'), historySize } },
    channels: new Channels(),
    maxReplayMessages: 100,
    maxBufferedBytes: 100_000,
    replayMemory: new ReplayMemory(1_000_000),
    checkIntervalMs,
    metrics: createRecoveryMetrics(createMetricsRegistry()),
    deliver,
    reportGap,
    reportCrossing,
  });
  cleanup(() => feeds.close());
  return feeds;
}

test('polls each of a hundred silent rooms, eight at a time', async () => {
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
  const feeds = startFeeds(counted, { checkIntervalMs: 20 });
  await Promise.all(ROOMS.map(room => feeds.hold(room)?.refresh()));
  looked.clear();
  most = 0;
  await eventually(() => looked.size === ROOMS.length, { describe: 'every room is looked at' });
  expect(most).toBe(8);
});

test('a round of checks that takes longer than the interval is not doubled', async () => {
  const { history } = new MemoryCluster().open();
  let underWay = 0;
  let isSlow = false;
  let most = 0;
  const slow: History = {
    append: append => history.append(append),
    async read(query) {
      if (!isSlow) return await history.read(query);
      most = Math.max(most, ++underWay);
      await new Promise(resolve => setTimeout(resolve, 50));
      underWay--;
      return await history.read(query);
    },
  };
  const feeds = startFeeds(slow, { checkIntervalMs: 5 });
  await Promise.all(ROOMS.slice(0, 24).map(room => feeds.hold(room)?.refresh()));
  isSlow = true;
  await eventually(() => most === 8);
  await new Promise(resolve => setTimeout(resolve, 40)); // Eight further rounds would have begun within this time.
  expect(most).toBe(8);
});

test('all holders of a room share its feed, which ends with the last one', async () => {
  const feeds = startFeeds(new MemoryCluster().open().history);
  const channel = new Channels().room('general');
  const feed = feeds.hold('general');
  expect(feeds.hold('general')).toBe(feed);
  expect(feeds.of(channel)).toBe(feed);
  feeds.release('general');
  expect(feeds.of(channel)).toBe(feed);
  feeds.release('general');
  expect(feeds.of(channel)).toBeUndefined();
  await expect(feed?.refresh()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(feeds.hold('general')).not.toBe(feed);
});

test('a room without history has no feed, and nothing to release', () => {
  const feeds = startFeeds(new MemoryCluster().open().history, { historySize: 0 });
  expect(feeds.hold('general')).toBeUndefined();
  expect(() => feeds.release('general')).not.toThrow();
});

test('messages, gaps and crossings of every room reach the one listener', async () => {
  const { history } = new MemoryCluster().open();
  const heard: unknown[] = [];
  const feeds = startFeeds(history, {
    deliver: (channel, { offset }) => heard.push([channel, offset]),
    reportGap: (channel, { reason }) => heard.push([channel, reason]),
    reportCrossing: (channel, { previousEpoch }) => heard.push([channel, previousEpoch]),
  });
  const feed = feeds.hold('general');
  await feed?.refresh();
  const envelope = encodeEnvelope({ encoding: 'json', publishedAtMs: 1 }, Buffer.from('{"type":"a"}'));
  const { epoch } = await history.append({ room: 'general', channel: 'c', envelope, size: 10, ttlMs: 60_000 });
  await feed?.refresh();
  const beginEpoch = (offset: number, from: string) =>
    history.read({ room: 'general', ttlMs: 60_000, limit: 0, known: { epoch: from, offset } });
  const next = await beginEpoch(2, epoch);
  await feed?.refresh();
  feed?.acknowledge({ epoch: next.epoch, offset: 2 });
  await beginEpoch(2, next.epoch);
  await feed?.refresh();
  const channel = new Channels().room('general');
  expect(heard).toEqual([
    [channel, 1],
    [channel, epoch],
    [channel, 'new_epoch'],
  ]);
});
