/** Leases of presence instances, in memory and on Redis, and how the living share the partitions. */
import { beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../../tests/support/eventually.js';
import { PROVISION_TIMEOUT_MS } from '../../../tests/support/provision.js';
import { startRedis, type TestRedis } from '../../../tests/support/redis.js';
import { assignedTo } from '../src/assignment.js';
import type { InstanceLeases } from '../src/instance-leases.js';
import { MemoryInstanceLeases } from '../src/memory/memory-instance-leases.js';
import { RedisInstanceLeases } from '../src/redis/redis-instance-leases.js';

function instanceLeasesConformance(open: (leaseMs: number) => Promise<InstanceLeases>): void {
  test('everybody alive sees the same sorted list, and the clock of the store', async () => {
    const leases = await open(60_000);
    await leases.renew('b');
    const { living, nowMs } = await leases.renew('a');
    expect(living).toEqual(['a', 'b']);
    expect(Math.abs(nowMs - Date.now())).toBeLessThan(5000);
  });

  test('who releases or does not renew is not listed any more', async () => {
    const leases = await open(3000);
    await leases.renew('gone');
    await leases.renew('silent');
    await leases.release('gone');
    expect((await leases.renew('a')).living).toEqual(['a', 'silent']);
    await eventually(async () => (await leases.renew('a')).living.length === 1);
  });

  test('an instance that is silent is dropped while others go on renewing', async () => {
    const leases = await open(1500);
    await leases.renew('silent');
    // Renewed well within the lease, so that the list as a whole does not expire.
    await eventually(async () => (await leases.renew('a')).living.length === 1);
  });
}

describe('in memory', () => {
  instanceLeasesConformance(async leaseMs => new MemoryInstanceLeases({ leaseMs }));
});

describe('on Redis', () => {
  let redis: TestRedis;
  let count = 0;
  beforeAll(async () => {
    redis = await startRedis();
  }, PROVISION_TIMEOUT_MS);
  instanceLeasesConformance(
    async leaseMs =>
      new RedisInstanceLeases({ commands: redis.connection(), prefix: `${redis.prefix}-${count++}`, leaseMs }),
  );
});

describe('the assignment', () => {
  test('gives every partition to exactly one of the living, in equal shares', () => {
    for (const living of [['a'], ['a', 'b'], ['a', 'b', 'c'], ['a', 'b', 'c', 'd', 'e']]) {
      const shares = living.map(instance => assignedTo(instance, living, 16));
      expect(shares.flatMap(share => [...share]).sort((x, y) => x - y)).toEqual([...Array(16).keys()]);
      const sizes = shares.map(share => share.size);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }
  });

  test('gives nothing to who is not alive', () => {
    expect(assignedTo('z', ['a'], 16).size).toBe(0);
  });
});
