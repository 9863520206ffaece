/** Logs of revocations, in memory and on Redis; and what happens when Redis loses one. */
import type { Revocation } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import { PROVISION_TIMEOUT_MS } from '../../../tests/support/provision.js';
import { startRedis, type TestRedis } from '../../../tests/support/redis.js';
import { MemoryRevocationLog } from '../src/memory/memory-revocation-log.js';
import { RedisRevocationLog } from '../src/redis/redis-revocation-log.js';
import { RevocationFollower } from '../src/revocation-follower.js';
import { revocationLogConformance } from './revocation-log-conformance.js';

const block = (user: string, untilMs = Date.now() + 3_600_000): Revocation => ({ kind: 'block', user, untilMs });

describe('in memory', () => {
  revocationLogConformance(async max => new MemoryRevocationLog(max));
});

describe('on Redis', () => {
  let redis: TestRedis;
  let count = 0;
  beforeAll(async () => {
    redis = await startRedis();
  }, PROVISION_TIMEOUT_MS);

  const open = (max?: number) => {
    const prefix = `${redis.prefix}-${count++}`;
    return { log: new RedisRevocationLog({ redis: redis.topology(), prefix, max }), prefix };
  };
  const keysOf = (prefix: string) =>
    ['entries', 'versions', 'ends', 'meta'].map(key => `${prefix}:{revocations}:${key}`);

  revocationLogConformance(async max => open(max).log);

  test('every key ends a minute after the last revocation', async () => {
    const { log, prefix } = open();
    await log.revoke(block('a', Date.now() + 10_000));
    for (const key of keysOf(prefix)) {
      const left = Number(await redis.cli('PTTL', key));
      expect(left, key).toBeGreaterThan(60_000);
      expect(left, key).toBeLessThanOrEqual(70_000);
    }
  });

  test('a follower restores what Redis lost, and no withdrawn one', async () => {
    const { log, prefix } = open();
    await log.revoke(block('a'));
    await log.revoke(block('b'));
    await log.revoke(block('ended', Date.now() + 1));
    const follower = new RevocationFollower({ log, onRevoked: () => {} });
    cleanup(() => follower.close());
    follower.start();
    await eventually(() => follower.known.has('block:b'));
    await redis.cli('DEL', ...keysOf(prefix));
    await log.withdraw({ kind: 'block', user: 'b' });
    await eventually(async () => (await log.read(0)).changes.some(({ id }) => id === 'block:a'));
    const { changes } = await log.read(0);
    expect(changes.map(({ id, revocation }) => [id, revocation !== undefined])).toEqual([
      ['block:b', false],
      ['block:a', true],
    ]);
    await eventually(() => !follower.known.has('block:b') && follower.known.has('block:a'));
  });

  test('malformed entries are left out', async () => {
    const { log, prefix } = open();
    await log.revoke(block('a'));
    const [entries = '', versions = ''] = keysOf(prefix);
    await redis.cli('HSET', entries, 'block:x', '{"kind":"block","user":5}');
    await redis.cli('ZADD', versions, '7', 'block:x');
    expect((await log.read(0)).changes.map(({ id }) => id)).toEqual(['block:a']);
  });
});
