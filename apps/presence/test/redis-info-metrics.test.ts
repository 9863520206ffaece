/** Presence reports each server of Redis by its name. */
import { createMetricsRegistry } from '@hubbub/runtime';
import { expect, test } from 'vitest';
import { startRedis } from '../../../tests/support/redis.js';
import { observeRedis } from '../src/redis/redis-info-metrics.js';

test('with two servers, each metric has a value for each, and a stopped server only up', async () => {
  const [first, second] = await Promise.all([startRedis({ own: true }), startRedis({ args: ['--maxmemory', '64mb'] })]);
  const topology = first.topology({ url: `${first.url},${second.url}`, waitForConnection: false });
  await topology.connected(5000);
  const registry = createMetricsRegistry();
  // Rooms on both servers, and the registry on the second one alone.
  const secondAlone = second.topology({ waitForConnection: false });
  await secondAlone.connected(5000);
  observeRedis(registry, [topology, secondAlone]);
  const [one, two] = [first, second].map(({ port }) => `server="127.0.0.1:${port}"`);
  const before = await registry.metrics();
  for (const server of [one, two]) {
    expect(before.split(`hubbub_redis_up{${server}} 1`), 'once each').toHaveLength(2);
    expect(before).toMatch(new RegExp(`hubbub_redis_commands_total{${server}} [1-9]`));
  }
  expect(before).toContain(`hubbub_redis_memory_max_bytes{${one}} 0`);
  expect(before).toContain(`hubbub_redis_memory_max_bytes{${two}} ${64 * 1_048_576}`);

  await second.halt();
  const after = await registry.metrics();
  expect(after).toContain(`hubbub_redis_up{${one}} 1`);
  expect(after).toContain(`hubbub_redis_up{${two}} 0`);
  expect(after.match(new RegExp(`hubbub_redis_\\w+{${two}}`, 'g'))).toEqual([`hubbub_redis_up{${two}}`]);
});
