/** An edge announces its namespaces to services while Redis fails and recovers. Fake clock, fake faults. */

import { type Namespaces, namespaceSettings } from '@hubbub/config';
import { HubbubError } from '@hubbub/protocol';
import { createLogger } from '@hubbub/runtime';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import { announceNamespaces } from '../src/services/namespace-announcement.js';

const TEN_MINUTES_MS = 600_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function announcing(namespaces: Namespaces = {}) {
  const redis = { isAway: false, heard: [] as object[] };
  const log = createLogger({ level: 'silent', process: 'test', nodeId: 'test' });
  const warned = vi.spyOn(log, 'warn');
  const directory = {
    async announce(announced: ReadonlyMap<string, object>) {
      if (redis.isAway) throw new HubbubError('UNAVAILABLE', 'away');
      redis.heard.push(Object.fromEntries(announced));
    },
    lookup: () => Promise.reject(new Error('not asked by an edge')),
    names: () => Promise.reject(new Error('not asked by an edge')),
  };
  const start = () => {
    const announcement = announceNamespaces(directory, namespaces, log);
    cleanup(() => announcement.close());
    return announcement;
  };
  return { redis, start, warned };
}

test('announces the configured namespaces and the default one immediately and every ten minutes', async () => {
  const chat = { ...namespaceSettings({}, 'chat'), historySize: 100, historyTtlMs: 60_000 };
  const { redis, start } = announcing({ chat });
  start();
  const notice = {
    chat: { historySize: 100, historyTtlMs: 60_000 },
    default: { historySize: 0, historyTtlMs: 300_000 },
  };
  expect(redis.heard).toEqual([notice]);
  await vi.advanceTimersByTimeAsync(TEN_MINUTES_MS);
  expect(redis.heard).toEqual([notice, notice]);
});

test('announces a default namespace with its configuration', () => {
  const { redis, start } = announcing({ default: { ...namespaceSettings({}, 'default'), historySize: 7 } });
  start();
  expect(redis.heard).toEqual([{ default: { historySize: 7, historyTtlMs: 300_000 } }]);
});

test('retries until Redis accepts, and logs a long outage once', async () => {
  const { redis, start, warned } = announcing();
  redis.isAway = true;
  start();
  await vi.advanceTimersByTimeAsync(1000);
  expect(warned, 'a start finds no connection yet').not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(warned).toHaveBeenCalledTimes(1);
  redis.isAway = false;
  await vi.advanceTimersByTimeAsync(1000);
  expect(redis.heard).toHaveLength(1);
});

test('announces again immediately after Redis may have lost data; the next announcement is ten minutes later', async () => {
  const { redis, start } = announcing();
  const announcement = start();
  await vi.advanceTimersByTimeAsync(60_000);
  announcement.renew();
  expect(redis.heard).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(TEN_MINUTES_MS);
  expect(redis.heard).toHaveLength(3);
});

test('a closed edge announces nothing more', async () => {
  const { redis, start } = announcing();
  redis.isAway = true;
  const announcement = start();
  announcement.close();
  redis.isAway = false;
  await vi.advanceTimersByTimeAsync(TEN_MINUTES_MS);
  expect(redis.heard).toEqual([]);
});
