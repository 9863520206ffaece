/** A log of client events on a real Redis, as one process has it. */

import { eventually } from '@hubbub/tools/kit';
import { cleanup } from '../../../tests/support/cleanup.js';
import type { TestRedis } from '../../../tests/support/redis.js';
import { openRedisConnection } from '../src/redis/connection.js';
import { RedisEventLog } from '../src/redis/redis-event-log.js';
import { eventOf } from './event-stories.js';

export async function openRedisEventLog(redis: TestRedis, { commandTimeoutMs = 5000, prefix = redis.prefix } = {}) {
  const onError = (): void => {};
  const commands = openRedisConnection(redis.url, { commandTimeoutMs, autoPipelining: true, onError });
  const log = new RedisEventLog({ commands, openReader: () => openRedisConnection(redis.url, { onError }), prefix });
  cleanup(() => commands.disconnect());
  cleanup(() => log.close());
  await eventually(() => commands.status === 'ready');
  const append = (text: string, more: { ttlMs?: number; maxLength?: number; idempotencyKey?: string } = {}) =>
    log.append({ namespace: 'game', event: eventOf(text), maxLength: 1000, ttlMs: 60_000, ...more });
  return { log, commands, append, group: log.group('game', 'referee'), key: `${prefix}:events:{game}` };
}
