/** Leases of edges, in memory and on Redis. */
import { beforeAll, describe, expect, test } from 'vitest';
import { PROVISION_TIMEOUT_MS } from '../../../tests/support/provision.js';
import { startRedis, type TestRedis } from '../../../tests/support/redis.js';
import { MemoryNodeLeases } from '../src/memory/memory-node-leases.js';
import { RedisNodeLeases } from '../src/redis/redis-node-leases.js';
import { nodeLeasesConformance } from './node-leases-conformance.js';

describe('in memory', () => {
  nodeLeasesConformance(async leaseMs => new MemoryNodeLeases({ leaseMs }));
});

describe('on Redis', () => {
  let redis: TestRedis;
  let count = 0;
  beforeAll(async () => {
    redis = await startRedis();
  }, PROVISION_TIMEOUT_MS);

  nodeLeasesConformance(
    async leaseMs => new RedisNodeLeases({ redis: redis.topology(), prefix: `${redis.prefix}-${count++}`, leaseMs }),
  );

  test('an abandoned cluster leaves no lease behind: every key has a time to live', async () => {
    const prefix = `${redis.prefix}-ttl`;
    const leases = new RedisNodeLeases({ redis: redis.topology(), prefix });
    await leases.register('edge-1/a');
    await leases.fenceAll();
    await leases.register('edge-1/b');
    await leases.reap();
    for (const name of ['alive', 'dead', 'checks', 'wire']) {
      expect(Number(await redis.cli('PTTL', `${prefix}:presence:{nodes}:${name}`))).toBeGreaterThan(0);
    }
  });
});
