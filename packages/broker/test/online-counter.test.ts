/** The count of users online, in memory and on Redis. */
import { beforeAll, describe, expect, test } from 'vitest';
import { PROVISION_TIMEOUT_MS } from '../../../tests/support/provision.js';
import { startRedis, type TestRedis } from '../../../tests/support/redis.js';
import { MemoryOnlineCounter } from '../src/memory/memory-online-counter.js';
import type { OnlineCounter } from '../src/online-counter.js';
import { RedisOnlineCounter } from '../src/redis/redis-online-counter.js';
import { onlineCounterConformance } from './online-counter-conformance.js';

describe('in memory', () => {
  onlineCounterConformance(async () => new MemoryOnlineCounter());
});

describe('on Redis', () => {
  let redis: TestRedis;
  let count = 0;
  beforeAll(async () => {
    redis = await startRedis();
  }, PROVISION_TIMEOUT_MS);

  const open = async (maxAgeMs: number): Promise<OnlineCounter> =>
    new RedisOnlineCounter({ redis: redis.topology(), prefix: `${redis.prefix}-${count++}`, maxAgeMs });

  onlineCounterConformance(() => open(0));

  test('askers share an answer for a while', async () => {
    const counter = await open(60_000);
    expect(await counter.total()).toBe(0);
    await counter.write(new Map([[0, { users: 5, fence: 1 }]]));
    expect(await counter.total()).toBe(0);
  });
});
