/** Leases of presence instances, in memory and on Redis, and the assignment of partitions to live instances. */
import { beforeAll, describe, expect, test } from 'vitest';
import { PROVISION_TIMEOUT_MS } from '../../../tests/support/provision.js';
import { startRedis, type TestRedis } from '../../../tests/support/redis.js';
import { assignedTo, type InstanceLeases } from '../src/instance-leases.js';
import { MemoryInstanceLeases } from '../src/memory/memory-instance-leases.js';
import { RedisInstanceLeases } from '../src/redis/redis-instance-leases.js';

interface OpenLeases {
  readonly leases: InstanceLeases;
  /** Advances time. */
  advance(ms: number): Promise<void>;
}

const LEASE_MS = 60_000;

function instanceLeasesConformance(open: () => Promise<OpenLeases>): void {
  test('all live instances see the same sorted list, and the clock of the store', async () => {
    const { leases } = await open();
    const beforeMs = Date.now();
    await leases.renew('b');
    const { living, nowMs } = await leases.renew('a');
    expect(living).toEqual(['a', 'b']);
    expect(nowMs).toBeGreaterThanOrEqual(beforeMs);
    expect(nowMs).toBeLessThanOrEqual(Date.now());
  });

  test('an instance that releases or does not renew is no longer listed', async () => {
    const { leases, advance } = await open();
    await leases.renew('gone');
    await leases.renew('silent');
    await leases.release('gone');
    expect((await leases.renew('a')).living).toEqual(['a', 'silent']);
    await advance(LEASE_MS);
    expect((await leases.renew('a')).living).toEqual(['a']);
  });

  test('a silent instance is dropped while others keep renewing', async () => {
    const { leases, advance } = await open();
    await leases.renew('silent');
    await advance(LEASE_MS / 2);
    expect((await leases.renew('a')).living).toEqual(['a', 'silent']);
    await advance(LEASE_MS / 2);
    expect((await leases.renew('a')).living).toEqual(['a']);
  });
}

describe('in memory', () => {
  instanceLeasesConformance(async () => {
    let shiftMs = 0;
    const leases = new MemoryInstanceLeases({ leaseMs: LEASE_MS, now: () => Date.now() + shiftMs });
    return {
      leases,
      async advance(ms) {
        shiftMs += ms;
      },
    };
  });
});

describe('on Redis', () => {
  let redis: TestRedis;
  let count = 0;
  beforeAll(async () => {
    redis = await startRedis();
  }, PROVISION_TIMEOUT_MS);
  instanceLeasesConformance(async () => {
    const commands = redis.connection();
    const prefix = `${redis.prefix}-${count++}`;
    return {
      leases: new RedisInstanceLeases({ redis: redis.topology(), prefix, leaseMs: LEASE_MS }),
      async advance(ms) {
        const key = `${prefix}:presence:instances`;
        for (const instance of await commands.zrange(key, 0, -1)) await commands.zincrby(key, -ms, instance);
      },
    };
  });
});

describe('the assignment', () => {
  test('gives every partition to exactly one live instance, in equal shares', () => {
    for (const living of [['a'], ['a', 'b'], ['a', 'b', 'c'], ['a', 'b', 'c', 'd', 'e']]) {
      const shares = living.map(instance => assignedTo(instance, living, 16));
      expect(shares.flatMap(share => [...share]).sort((x, y) => x - y)).toEqual([...Array(16).keys()]);
      const sizes = shares.map(share => share.size);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }
  });

  test('gives nothing to a dead instance', () => {
    expect(assignedTo('z', ['a'], 16).size).toBe(0);
  });
});
