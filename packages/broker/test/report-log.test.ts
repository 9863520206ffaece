/** The report logs, in memory and on Redis. */
import { beforeAll, describe, expect, test } from 'vitest';
import { PROVISION_TIMEOUT_MS } from '../../../tests/support/provision.js';
import { startRedis, type TestRedis } from '../../../tests/support/redis.js';
import { MemoryReportLog } from '../src/memory/memory-report-log.js';
import { RedisReportLog } from '../src/redis/redis-report-log.js';
import { REGISTRY_TTL_MS } from '../src/redis/registry-keys.js';
import { reportLogConformance } from './report-log-conformance.js';

describe('in memory', () => {
  reportLogConformance(async maxEntries => new MemoryReportLog({ maxEntries }));
});

describe('on Redis', () => {
  let redis: TestRedis;
  let count = 0;
  beforeAll(async () => {
    redis = await startRedis();
  }, PROVISION_TIMEOUT_MS);

  const open = async (maxEntries: number) => {
    const prefix = `${redis.prefix}-${count++}`;
    return {
      log: new RedisReportLog({ redis: redis.topology(), prefix, maxEntries }),
      prefix,
    };
  };

  reportLogConformance(async maxEntries => (await open(maxEntries)).log);

  test('a log without appends expires', async () => {
    const { log, prefix } = await open(10);
    await log.append([{ partition: 3, text: 'a' }]);
    const ttl = Number(await redis.cli('PTTL', `${prefix}:presence:{p3}:reports`));
    expect(ttl).toBeGreaterThan(0);
    expect(ttl).toBeLessThanOrEqual(REGISTRY_TTL_MS);
  });

  test('scripts are known again after Redis forgot them', async () => {
    const { log } = await open(10);
    await log.append([{ partition: 0, text: 'a' }]);
    await redis.cli('SCRIPT', 'FLUSH');
    expect(await log.append([{ partition: 0, text: 'b' }])).toMatchObject([{ taken: true }]);
  });
});
