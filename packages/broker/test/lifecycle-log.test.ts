/** The lifecycle logs, in memory and on Redis. */
import { type LifecycleEvent, lifecycleFields } from '@hubbub/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { PROVISION_TIMEOUT_MS } from '../../../tests/support/provision.js';
import { startRedis, type TestRedis } from '../../../tests/support/redis.js';
import { LIFECYCLE_GROUP_TTL_MS } from '../src/lifecycle-log.js';
import { MemoryLifecycleLog } from '../src/memory/memory-lifecycle-log.js';
import { RedisLifecycleLog } from '../src/redis/redis-lifecycle-log.js';
import { lifecycleLogConformance } from './lifecycle-log-conformance.js';

describe('in memory', () => {
  lifecycleLogConformance(async () => {
    const log = new MemoryLifecycleLog();
    return { first: log, second: log, append: async event => log.append(event) };
  });
});

describe('on Redis', () => {
  let redis: TestRedis;
  let count = 0;
  beforeAll(async () => {
    redis = await startRedis();
  }, PROVISION_TIMEOUT_MS);

  const open = async () => {
    const prefix = `${redis.prefix}-${count++}`;
    const commands = redis.connection();
    const log = () => new RedisLifecycleLog({ redis: redis.topology(), prefix, partitions: 4 });
    const append = async (event: LifecycleEvent): Promise<void> => {
      await commands.xadd(`${prefix}:presence:{p0}:lifecycle`, '*', ...lifecycleFields(event));
    };
    return { prefix, commands, first: log(), second: log(), append };
  };

  lifecycleLogConformance(open);

  test('keeps its place for a day and no longer', async () => {
    const { first, prefix } = await open();
    const group = first.group('g');
    await group.hold('c1', 5000);
    await group.read('c1', { limit: 1, waitMs: 1 });
    const lease = Number(await redis.cli('PTTL', `${prefix}:lifecycle:{g}:lease`));
    const positions = Number(await redis.cli('PTTL', `${prefix}:lifecycle:{g}:positions`));
    expect(lease).toBeGreaterThan(0);
    expect(lease).toBeLessThanOrEqual(5000);
    expect(positions).toBeGreaterThan(0);
    expect(positions).toBeLessThanOrEqual(LIFECYCLE_GROUP_TTL_MS);
  });

  test('skips entries that are not events', async () => {
    const { first, append, commands, prefix } = await open();
    const group = first.group('g');
    await group.hold('c1', 5000);
    await group.read('c1', { limit: 1, waitMs: 1 });
    await commands.xadd(`${prefix}:presence:{p0}:lifecycle`, '*', 'event', 'user_vanished', 'user', 'x');
    await append({ event: 'user_online', user: 'a', atMs: 1 });
    const entries = await group.read('c1', { limit: 10, waitMs: 1000 });
    expect(entries.map(({ event }) => event.event)).toEqual(['user_online']);
  });
});
