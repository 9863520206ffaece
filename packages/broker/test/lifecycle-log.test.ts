/** The lifecycle logs, in memory and on Redis. */
import { type LifecycleEvent, lifecycleFields } from '@hubbub/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { PROVISION_TIMEOUT_MS } from '../../../tests/support/provision.js';
import { startRedis, type TestRedis } from '../../../tests/support/redis.js';
import { LIFECYCLE_GROUP_TTL_MS } from '../src/lifecycle-log.js';
import { MemoryLifecycleLog } from '../src/memory/memory-lifecycle-log.js';
import { RedisLifecycleLog } from '../src/redis/redis-lifecycle-log.js';
import { begin, lifecycleLogConformance, online, takeGap, usersOf } from './lifecycle-log-conformance.js';

describe('in memory', () => {
  lifecycleLogConformance(async () => {
    const log = new MemoryLifecycleLog();
    const keepNewest = async (count: number) => log.keepNewest(count);
    return { first: log, second: log, append: async event => log.append(event), keepNewest };
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
    const keepNewest = async (kept: number) =>
      void (await commands.xtrim(`${prefix}:presence:{p0}:lifecycle`, 'MAXLEN', kept));
    return { prefix, commands, first: log(), second: log(), append, keepNewest };
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

  test('a group that Redis has forgotten continues where its consumer was, and misses nothing', async () => {
    const { first, append, prefix } = await open();
    const group = await begin(first, 'c1');
    await append(online('a'));
    const [a] = await group.read('c1', { limit: 10, waitMs: 1000 });
    await group.acknowledge('c1', [a?.entryId ?? '']);
    // As a Redis whose data is older than the group: the stream continues before the consumer has noticed.
    await redis.cli('DEL', `${prefix}:lifecycle:{g}:lease`, `${prefix}:lifecycle:{g}:positions`);
    await append(online('b'));
    expect(await group.hold('c1', 5000)).toBe(false);
    expect(await group.hold('c2', 5000)).toBe(true);
    expect(usersOf(await group.read('c2', { limit: 10, waitMs: 1000 }))).toEqual(['b']);
  });

  test('a consumer that is ahead of a stream that went back reads what follows in it', async () => {
    const { first, append, commands, prefix } = await open();
    const group = await begin(first, 'c1');
    const ahead = `${Date.now() + 60_000}-0`;
    await commands.xadd(`${prefix}:presence:{p0}:lifecycle`, ahead, ...lifecycleFields(online('lost')));
    const [lost] = await group.read('c1', { limit: 10, waitMs: 1000 });
    await group.acknowledge('c1', [lost?.entryId ?? '']);
    await redis.cli('DEL', `${prefix}:lifecycle:{g}:lease`, `${prefix}:presence:{p0}:lifecycle`);
    expect(await group.hold('c1', 5000)).toBe(false);
    expect(await group.hold('c2', 5000)).toBe(true);
    await append(online('b'));
    await takeGap(group, 'c2', 'missed');
    expect(usersOf(await group.read('c2', { limit: 10, waitMs: 1000 }))).toEqual(['b']);
  });

  test('a stream that is gone is a gap, once: its later events follow', async () => {
    const { first, append, prefix } = await open();
    const group = await begin(first, 'c1');
    await append(online('a'));
    const [a] = await group.read('c1', { limit: 10, waitMs: 1000 });
    await group.acknowledge('c1', [a?.entryId ?? '']);
    await group.release('c1');
    await redis.cli('DEL', `${prefix}:presence:{p0}:lifecycle`);
    await group.hold('c2', 5000);
    await group.acknowledge('c2', [await takeGap(group, 'c2', 'missed')]);
    await group.release('c2');
    await append(online('b'));
    await group.hold('c3', 5000);
    expect(usersOf(await group.read('c3', { limit: 10, waitMs: 1000 }))).toEqual(['b']);
  });

  test('a group that Redis and every process have forgotten begins again, with a gap', async () => {
    const { first, second, prefix } = await open();
    await (await begin(first, 'c1')).release('c1');
    await redis.cli('DEL', `${prefix}:lifecycle:{g}:positions`);
    await begin(second, 'c2');
  });

  test('every key of a group has a time to live that its consumer renews', async () => {
    const { first, append, prefix } = await open();
    const group = await begin(first, 'c1');
    for (const user of ['a', 'b']) {
      await append(online(user));
      const [entry] = await group.read('c1', { limit: 10, waitMs: 1000 });
      await group.deadLetter('c1', entry?.entryId ?? '', 'no');
    }
    const [letter] = await group.deadLetters(1);
    await group.replay(letter?.letterId ?? '');
    for (const name of ['positions', 'dead', 'replays']) {
      const key = `${prefix}:lifecycle:{g}:${name}`;
      expect(Number(await redis.cli('PTTL', key)), name).toBeGreaterThan(LIFECYCLE_GROUP_TTL_MS - 60_000);
      await redis.cli('PEXPIRE', key, '5000');
      await group.hold('c1', 5000);
      expect(Number(await redis.cli('PTTL', key)), name).toBeGreaterThan(LIFECYCLE_GROUP_TTL_MS - 60_000);
    }
  });

  test('skips entries that are not events', async () => {
    const { first, append, commands, prefix } = await open();
    const group = await begin(first, 'c1');
    await commands.xadd(`${prefix}:presence:{p0}:lifecycle`, '*', 'event', 'user_vanished', 'user', 'x');
    await append(online('a'));
    const entries = await group.read('c1', { limit: 10, waitMs: 1000 });
    expect(entries.map(({ event }) => event.event)).toEqual(['user_online']);
  });
});
