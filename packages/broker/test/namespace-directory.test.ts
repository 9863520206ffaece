/** Directories of namespaces, in memory and on Redis. */
import { beforeAll, describe, expect, test } from 'vitest';
import { PROVISION_TIMEOUT_MS } from '../../../tests/support/provision.js';
import { startRedis, type TestRedis } from '../../../tests/support/redis.js';
import { MemoryNamespaceDirectory } from '../src/memory/memory-namespace-directory.js';
import { RedisNamespaceDirectory } from '../src/redis/redis-namespace-directory.js';
import { namespaceDirectoryConformance } from './namespace-directory-conformance.js';

const CHAT = { historySize: 100, historyTtlMs: 60_000 };

describe('in memory', () => {
  namespaceDirectoryConformance(async () => new MemoryNamespaceDirectory());
});

describe('on Redis', () => {
  let redis: TestRedis;
  let count = 0;
  beforeAll(async () => {
    redis = await startRedis();
  }, PROVISION_TIMEOUT_MS);

  const open = (maxAgeMs?: number) => {
    const prefix = `${redis.prefix}-${count++}`;
    const options = { redis: redis.topology(), prefix, ...(maxAgeMs !== undefined && { maxAgeMs }) };
    return { directory: new RedisNamespaceDirectory(options), key: `${prefix}:namespaces` };
  };

  namespaceDirectoryConformance(async () => open(0).directory);

  test('it is a hash of JSON by name, the default one always in it, and ends by itself', async () => {
    const { directory, key } = open();
    await directory.announce(new Map([['chat', CHAT]]));
    expect((await redis.cli('HGETALL', key)).split('\n')).toEqual([
      ...['default', '{"historySize":0,"historyTtlMs":300000}'],
      ...['chat', '{"historySize":100,"historyTtlMs":60000}'],
    ]);
    const left = Number(await redis.cli('PTTL', key));
    expect(left).toBeGreaterThan(86_000_000);
    expect(left).toBeLessThanOrEqual(86_400_000);
  });

  test('an answer is kept for a while', async () => {
    const { directory, key } = open();
    await directory.announce(new Map([['chat', CHAT]]));
    expect(await directory.lookup('chat')).toEqual(CHAT);
    await redis.cli('HSET', key, 'chat', '{"historySize":1,"historyTtlMs":1000}');
    expect(await directory.lookup('chat')).toEqual(CHAT);
  });

  test('while nothing is announced, no answer is kept: a starting edge is noticed immediately', async () => {
    const { directory } = open();
    expect((await directory.lookup('chat')).historySize).toBe(0);
    await directory.announce(new Map([['chat', CHAT]]));
    expect(await directory.lookup('chat')).toEqual(CHAT);
  });

  test('a Redis that lost its data leaves what was known', async () => {
    const { directory, key } = open(0);
    await directory.announce(new Map([['chat', CHAT]]));
    expect(await directory.lookup('chat')).toEqual(CHAT);
    await redis.cli('DEL', key);
    expect(await directory.lookup('chat')).toEqual(CHAT);
    expect(await directory.lookup('chat')).toEqual(CHAT);
    await directory.announce(new Map());
    expect((await directory.lookup('chat')).historySize).toBe(0);
  });

  test('an unreadable announcement is not an answer, and the next lookup asks again', async () => {
    const { directory, key } = open();
    for (const text of ['{', '[]', 'null', '{"historySize":-1,"historyTtlMs":1}', '{"historySize":5}']) {
      await redis.cli('HSET', key, 'chat', text);
      await expect(directory.lookup('chat'), text).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    }
    await redis.cli('HSET', key, 'chat', '{"historySize":5,"historyTtlMs":1000,"more":true}');
    expect(await directory.lookup('chat')).toEqual({ historySize: 5, historyTtlMs: 1000 });
  });

  test('simultaneous lookups ask once', async () => {
    const { directory } = open();
    await directory.announce(new Map([['chat', CHAT]]));
    const first = directory.lookup('chat');
    expect(directory.lookup('chat')).toBe(first);
    await first;
  });
});
