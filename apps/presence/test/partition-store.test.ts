/** The registry's stores, in memory and on Redis. */

import { eventually } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { PROVISION_TIMEOUT_MS } from '../../../tests/support/provision.js';
import { startRedis, type TestRedis } from '../../../tests/support/redis.js';
import { MemoryPartitionStore } from '../src/memory/memory-partition-store.js';
import { RedisPartitionStore } from '../src/redis/redis-partition-store.js';
import { change, type OpenStore, partitionStoreConformance } from './partition-store-conformance.js';

describe('in memory', () => {
  partitionStoreConformance(async () => {
    const published: Array<{ channel: string; text: string }> = [];
    const store = new MemoryPartitionStore((channel, envelope) => {
      published.push({ channel, text: Buffer.from(envelope).toString() });
    });
    return {
      store,
      published: async channel => published.filter(item => item.channel === channel).map(({ text }) => text),
    };
  });
});

describe('on Redis', () => {
  let redis: TestRedis;
  let count = 0;
  beforeAll(async () => {
    redis = await startRedis();
  }, PROVISION_TIMEOUT_MS);

  const nextPrefix = () => `${redis.prefix}-${count++}`;

  partitionStoreConformance(async (): Promise<OpenStore> => {
    const prefix = nextPrefix();
    const listener = redis.connection();
    const texts = new Map<string, string[]>();
    // The suite's channels have no prefix: one suite publishes at a time, and each one listens from its start.
    listener.on('message', (channel: string, text: string) =>
      texts.set(channel, [...(texts.get(channel) ?? []), text]),
    );
    await listener.subscribe('c', `${prefix}:barrier`);
    let barriers = 0;
    return {
      store: new RedisPartitionStore({ redis: redis.topology(), prefix }),
      async published(channel) {
        barriers++;
        await redis.cli('PUBLISH', `${prefix}:barrier`, 'now');
        await eventually(() => texts.get(`${prefix}:barrier`)?.length === barriers);
        return texts.get(channel) ?? [];
      },
    };
  });

  test('every key has a time to live, and the partition counts as lost before any of its hashes is', async () => {
    const prefix = nextPrefix();
    const store = new RedisPartitionStore({ redis: redis.topology(), prefix });
    const claim = await store.claim(0, 'a', ['a']);
    if (claim === undefined) throw new Error('not claimed');
    await store.commit(claim, {
      sequence: 0,
      position: '1-0',
      hashes: [change('rooms', { r: '1 1' }), change('room:r', { u: '[]' }), change('meta', { i1: 'edge-1/a' })],
      publications: [],
      lifecycle: [{ event: 'room_occupied', room: 'r', atMs: 1 }],
    });
    await store.renew(claim, ['rooms', 'room:r']);
    const ttl = async (name: string) => Number(await redis.cli('PTTL', `${prefix}:presence:{p0}:${name}`));
    const meta = await ttl('meta');
    expect(meta).toBeGreaterThan(0);
    for (const name of ['rooms', 'room:r', 'lifecycle']) expect(await ttl(name)).toBeGreaterThan(meta);
  });

  test('a partition that returns after a loss does not find its old rows', async () => {
    const prefix = nextPrefix();
    const store = new RedisPartitionStore({ redis: redis.topology(), prefix });
    const claim = await store.claim(0, 'a', ['a']);
    if (claim === undefined) throw new Error('not claimed');
    const hashes = [change('rooms', { r: '1 1' }), change('room:r', { u: '[]' }), change('users:5', { u: '[]' })];
    await store.commit(claim, { sequence: 0, position: '1-0', hashes, publications: [], lifecycle: [] });
    await redis.cli('DEL', `${prefix}:presence:{p0}:meta`);
    const again = await store.claim(0, 'a', ['a']);
    if (again === undefined) throw new Error('not claimed');
    expect(again.lost).toBe(true);
    expect(again.fence).toBeGreaterThan(claim.fence);
    const saved = await store.load(again);
    expect(saved.rooms.size + saved.users.size).toBe(0);
    expect(await redis.cli('EXISTS', `${prefix}:presence:{p0}:room:r`)).toBe('0');
  });

  describe('the term of the server', () => {
    /** A partition of a former owner that is listed as alive, with one commit. */
    const committed = async () => {
      const prefix = nextPrefix();
      const store = new RedisPartitionStore({ redis: redis.topology(), prefix });
      const claim = await store.claim(0, 'a', ['a']);
      if (claim === undefined) throw new Error('not claimed');
      const commit = { position: '1-0', hashes: [], publications: [], lifecycle: [] };
      await store.commit(claim, { ...commit, sequence: 0 });
      const meta = `${prefix}:presence:{p0}:meta`;
      return { store, claim, meta, next: { ...commit, sequence: 1 } };
    };

    test('the data of another term may be old: its owner does not count, and it stays so until the first commit', async () => {
      const { store, meta, next } = await committed();
      await redis.cli('HSET', meta, 'term', 'another');
      for (const instance of ['b', 'c']) {
        const claim = await store.claim(0, instance, ['a', 'b', 'c']);
        expect(claim).toMatchObject({ sequence: 1, lost: false, restored: true });
        if (instance === 'c' && claim !== undefined) expect(await store.commit(claim, next)).toBe(true);
      }
      expect(await store.claim(0, 'b', ['b'])).toMatchObject({ sequence: 2, restored: false });
      expect(await store.claim(0, 'c', ['b', 'c'])).toBeUndefined();
    });

    test('a commit with a claim of another term is refused', async () => {
      const { store, claim, next } = await committed();
      expect(await store.commit({ ...claim, term: 'another' }, next)).toBe(false);
      expect(await store.commit(claim, next)).toBe(true);
    });

    test('a partition of a version without terms takes the present one: nothing counts as old', async () => {
      const { store, claim, meta } = await committed();
      await redis.cli('HDEL', meta, 'term');
      expect(await store.claim(0, 'b', ['b'])).toMatchObject({ term: claim.term, lost: false, restored: false });
      expect(await redis.cli('HGET', meta, 'term')).toBe(claim.term);
      expect(claim.term).toMatch(/^[0-9a-f]{40}$/);
    });

    test('a Redis user without the right to INFO can claim and commit', async () => {
      const restricted = await startRedis({ own: true });
      await restricted.cli('ACL', 'SETUSER', 'hubbub', 'on', '>secret', '~*', '&*', '+@all', '-info');
      const url = `redis://hubbub:secret@127.0.0.1:${restricted.port}`;
      const store = new RedisPartitionStore({ redis: restricted.topology({ url }), prefix: nextPrefix() });
      const claim = await store.claim(0, 'a', ['a']);
      expect(claim).toMatchObject({ term: '', lost: true, restored: false });
      const commit = { sequence: 0, position: '1-0', hashes: [], publications: [], lifecycle: [] };
      expect(claim && (await store.commit(claim, commit))).toBe(true);
    });

    test('the fields of the claim are not part of what an owner loads', async () => {
      const { store, claim } = await committed();
      expect([...(await store.load(claim)).meta]).toEqual([]);
    });
  });

  test('the lifecycle is a stream that services can read', async () => {
    const prefix = nextPrefix();
    const store = new RedisPartitionStore({ redis: redis.topology(), prefix });
    const claim = await store.claim(0, 'a', ['a']);
    if (claim === undefined) throw new Error('not claimed');
    const lifecycle = [{ event: 'user_online' as const, user: 'alice', atMs: 12 }];
    await store.commit(claim, { sequence: 0, position: '1-0', hashes: [], publications: [], lifecycle });
    const entries = await redis.connection().xrange(`${prefix}:presence:{p0}:lifecycle`, '-', '+');
    expect(entries.map(([, fields]) => fields)).toEqual([['event', 'user_online', 'user', 'alice', 'at', '12']]);
  });
});
