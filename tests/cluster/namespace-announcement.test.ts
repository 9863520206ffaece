/** Services find the namespaces with a history in Redis. */

import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { startCluster } from '../support/cluster.js';
import { startRedis, type TestRedis } from '../support/redis.js';

async function announced(redis: TestRedis): Promise<Record<string, unknown> | false> {
  const lines = (await redis.cli('HGETALL', `${redis.prefix}:namespaces`)).split('\n');
  if (lines.length < 2) return false;
  const names = lines.filter((_, index) => index % 2 === 0);
  return Object.fromEntries(names.map((name, index) => [name, JSON.parse(lines[2 * index + 1] ?? '')]));
}

test('edges announce their namespaces at their start, and again after Redis lost its data', async () => {
  const redis = await startRedis({ own: true });
  const namespaces = { chat: { historySize: 50, historyTtlMs: 60_000 }, game: { events: ['*'] } };
  await startCluster({ edges: 1, presence: 0, redis, env: withNamespaces(namespaces) });
  const notice = {
    chat: { historySize: 50, historyTtlMs: 60_000 },
    game: { historySize: 0, historyTtlMs: 300_000 },
    default: { historySize: 0, historyTtlMs: 300_000 },
  };
  expect(await eventually(() => announced(redis))).toEqual(notice);
  await redis.restart();
  expect(await eventually(() => announced(redis), { describe: 'the edge says it again' })).toEqual(notice);
});
