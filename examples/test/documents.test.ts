/** Requirements of every implementation of `Documents`: the one in memory and the one on a real Redis. */

import { eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { cleanup } from '../../tests/support/cleanup.js';
import { startRedis } from '../../tests/support/redis.js';
import { startRedisCluster } from '../../tests/support/redis-cluster.js';
import { startSentinelRedis } from '../../tests/support/redis-sentinel.js';
import { type Documents, MemoryDocuments } from '../state/documents.js';
import { RedisDocuments } from '../state/redis/redis-documents.js';

const HOUR_MS = 3_600_000;
const UPDATES = 50;

type Counter = { readonly count: number };
type Log = { readonly lines: readonly string[] };

const increment = (counter: Counter | undefined): Counter => ({ count: (counter?.count ?? 0) + 1 });

/** Opens two instances of a service that share their documents; in memory that is one, used twice. */
type Open = (ttlMs: number) => Promise<readonly [Documents, Documents]>;

async function openInMemory(ttlMs: number): Promise<readonly [Documents, Documents]> {
  const documents = new MemoryDocuments(ttlMs);
  cleanup(() => documents.close());
  return [documents, documents];
}

async function openOnRedis(ttlMs: number): Promise<readonly [Documents, Documents]> {
  return openTwo(await startRedis(), ttlMs);
}

function openTwo(
  { url, prefix }: { readonly url: string; readonly prefix: string },
  ttlMs: number,
): readonly [Documents, Documents] {
  const open = (): Documents => {
    const documents = new RedisDocuments({ url, prefix, ttlMs });
    cleanup(() => documents.close());
    return documents;
  };
  return [open(), open()];
}

const implementations: [string, Open][] = [
  ['in memory', openInMemory],
  ['on Redis', openOnRedis],
];

describe.each(implementations)('documents %s', (_name, open) => {
  test('reads a written document, also in the other instance, and undefined for an unknown key', async () => {
    const [one, other] = await open(HOUR_MS);
    expect(await one.read('room:1')).toBeUndefined();
    expect(await one.update<Log>('room:1', () => ({ lines: ['“häßlich” 🎉', ''] }))).toEqual({
      lines: ['“häßlich” 🎉', ''],
    });
    expect(await other.read('room:1')).toEqual({ lines: ['“häßlich” 🎉', ''] });
    expect(await other.read('room:2')).toBeUndefined();
  });

  test(`${UPDATES} simultaneous updates by two instances lose nothing`, async () => {
    const instances = await open(HOUR_MS);
    const updates = Array.from({ length: UPDATES }, (_, index) => {
      const instance = instances[index % 2 === 0 ? 0 : 1];
      return instance.update<Counter>('counter', increment);
    });
    const seen = await Promise.all(updates);
    expect(await instances[0].read('counter')).toEqual({ count: UPDATES });
    const counts = seen.map(counter => counter?.count ?? 0).toSorted((a, b) => a - b);
    expect(counts).toEqual(Array.from({ length: UPDATES }, (_, index) => index + 1));
  });

  test('throws the error of a change, and changes nothing', async () => {
    const [documents] = await open(HOUR_MS);
    await documents.update<Counter>('counter', increment);
    const refuse = () => {
      throw new RangeError('no more');
    };
    await expect(documents.update('counter', refuse)).rejects.toThrow(new RangeError('no more'));
    await expect(documents.update('nothing', refuse)).rejects.toThrow(new RangeError('no more'));
    expect(await documents.read('counter')).toEqual({ count: 1 });
    expect(await documents.read('nothing')).toBeUndefined();
  });

  test('undefined deletes, also what is not there', async () => {
    const [one, other] = await open(HOUR_MS);
    await one.update<Counter>('counter', increment);
    expect(await one.update('counter', () => undefined)).toBeUndefined();
    expect(await other.read('counter')).toBeUndefined();
    expect(await one.update('counter', () => undefined)).toBeUndefined();
    expect(await one.update<Counter>('counter', increment)).toEqual({ count: 1 });
  });

  test('changing a returned document does not change the stored one', async () => {
    const [documents] = await open(HOUR_MS);
    const lines = ['first'];
    const returned = await documents.update<{ lines: string[] }>('log', () => ({ lines }));
    lines.push('smuggled in before');
    returned?.lines.push('smuggled in after');
    (await documents.read<{ lines: string[] }>('log'))?.lines.push('smuggled in later');
    expect(await documents.read('log')).toEqual({ lines: ['first'] });
  });

  test('a document without updates expires, and every update restarts its time to live', async () => {
    const ttlMs = 1500;
    const [documents] = await open(ttlMs);
    const startedAt = performance.now();
    await documents.update<Counter>('left alone', increment);
    await eventually(
      async () => {
        await documents.update<Counter>('kept', increment);
        return (await documents.read('left alone')) === undefined;
      },
      { describe: 'the document that was left alone is gone' },
    );
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(ttlMs - 10); // Clocks of two processes.
    expect(await documents.read('kept')).toBeDefined();
    await eventually(async () => (await documents.read('kept')) === undefined, { describe: 'the other is gone, too' });
  });
});

test('on Redis an abandoned service leaves nothing', async () => {
  const redis = await startRedis();
  const documents = new RedisDocuments({ url: redis.url, prefix: redis.prefix, ttlMs: 300 });
  cleanup(() => documents.close());
  await Promise.all(Array.from({ length: 10 }, (_, index) => documents.update(`room:${index}`, increment)));
  await eventually(async () => (await redis.cli('--scan', '--pattern', `${redis.prefix}*`)) === '', {
    describe: 'no key is left',
  });
});

test.each([
  ['on a Redis Cluster', () => startRedisCluster({ replicas: false })],
  ['behind Sentinels', startSentinelRedis],
])('%s instances share documents', async (_where, start) => {
  const { url } = await start();
  const [one, other] = openTwo({ url, prefix: 'test' }, HOUR_MS);
  const keys = Array.from({ length: 20 }, (_, index) => `room:${index}`);
  await Promise.all(keys.map(key => one.update<Counter>(key, increment)));
  expect(await Promise.all(keys.map(key => other.update<Counter>(key, increment)))).toEqual(
    keys.map(() => ({ count: 2 })),
  );
});
