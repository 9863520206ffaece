/** A log of client events on a real Redis, as one process has it. */

import type { TestRedis } from '../../../tests/support/redis.js';
import { RedisEventLog } from '../src/redis/redis-event-log.js';
import { eventOf } from './event-stories.js';

export async function openRedisEventLog(redis: TestRedis, { commandTimeoutMs = 5000, prefix = redis.prefix } = {}) {
  const topology = redis.topology({ commandTimeoutMs, waitForConnection: false });
  const log = new RedisEventLog({ redis: topology, prefix });
  await topology.connected(commandTimeoutMs);
  const append = (text: string, more: { ttlMs?: number; maxLength?: number; idempotencyKey?: string } = {}) =>
    log.append({ namespace: 'game', event: eventOf(text), maxLength: 1000, ttlMs: 60_000, ...more });
  const { commands } = topology.shardOf(prefix);
  return { log, commands, append, group: log.group('game', 'referee'), key: `${prefix}:events:{game}` };
}
