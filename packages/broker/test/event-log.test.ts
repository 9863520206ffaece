/** Logs of client events, in memory and on Redis; and changes by other programs on Redis. */

import { eventually } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { PROVISION_TIMEOUT_MS } from '../../../tests/support/provision.js';
import { startRedis, type TestRedis } from '../../../tests/support/redis.js';
import { MemoryEventLog } from '../src/memory/memory-event-log.js';
import { eventGroupConformance } from './event-group-conformance.js';
import { eventLogConformance } from './event-log-conformance.js';
import { AT_ONCE, idOf, LEASE_MS, textsOf } from './event-stories.js';
import { openRedisEventLog } from './redis-event-log.js';

describe('in memory', () => {
  const log = new MemoryEventLog();
  eventLogConformance(async () => log);
  eventGroupConformance(async () => log);
});

describe('on Redis', () => {
  let redis: TestRedis;
  let count = 0;
  beforeAll(async () => {
    redis = await startRedis();
  }, PROVISION_TIMEOUT_MS);
  const openFresh = () => openRedisEventLog(redis, { prefix: `${redis.prefix}-${count++}` });

  const openLog = async () => (await openRedisEventLog(redis)).log;
  eventLogConformance(openLog);
  eventGroupConformance(openLog);

  test('an entry has the fields of the Redis contract, in text', async () => {
    const { append, key } = await openFresh();
    const { entryId } = await append('a');
    expect((await redis.cli('XRANGE', key, '-', '+')).split('\n')).toEqual([
      entryId,
      ...['type', 'vote_submitted', 'room', 'game:42', 'id', 'a', 'payload', '{"text":"a"}'],
      ...['user', '{"id":"alice","name":"Alice"}', 'session', 'k3f.1', 'node', 'edge-1'],
      ...['rooms', '["game:42","general"]', 'at', '1700000000123'],
    ]);
  });

  test('the lease names the consumer, and ends by itself', async () => {
    const { group, key } = await openFresh();
    await group.hold('r1', 5000);
    expect(await redis.cli('GET', `${key}:lease:referee`)).toBe('r1');
    const left = Number(await redis.cli('PTTL', `${key}:lease:referee`));
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(5000);
  });

  test('every key has a time to live, and what is abandoned leaves nothing', async () => {
    const { append, group, key } = await openFresh();
    await group.hold('r1', 1000); // Before the first event: nothing has set the lifetime of the log.
    expect(Number(await redis.cli('PTTL', key))).toBeGreaterThan(80_000_000);
    await append('a', { ttlMs: 1500, idempotencyKey: 'alice/1' });
    await append('b', { ttlMs: 1500 });
    const [a] = await group.read('r1', AT_ONCE);
    await group.deadLetter('r1', idOf(a), 'no');
    expect(Number(await redis.cli('PTTL', `${key}:dead:referee`))).toBeGreaterThan(0);
    await group.hold('r1', 1000);
    const names = [key, `${key}:ttl`, `${key}:lease:referee`, `${key}:dead:referee`, `${key}:id:alice/1`];
    const keys = async () => (await redis.cli('KEYS', `${key}*`)).split('\n').filter(name => name !== '');
    expect((await keys()).sort()).toEqual([...names].sort());
    for (const name of names) {
      const left = Number(await redis.cli('PTTL', name));
      expect(left, name).toBeGreaterThan(0);
      expect(left, name).toBeLessThanOrEqual(name.includes(':id:') ? 300_000 : 1500);
    }
    await redis.cli('PEXPIRE', `${key}:id:alice/1`, '100'); // Five minutes would be too long for a test.
    await eventually(async () => (await keys()).length === 0, { describe: 'all keys are gone' });
  });

  test('a reader keeps the dead letters', async () => {
    const { append, group, key } = await openFresh();
    await append('a');
    await group.hold('r1', LEASE_MS);
    const [a] = await group.read('r1', AT_ONCE);
    await group.deadLetter('r1', idOf(a), 'no');
    await redis.cli('PEXPIRE', `${key}:dead:referee`, '5000');
    await group.hold('r1', LEASE_MS);
    expect(Number(await redis.cli('PTTL', `${key}:dead:referee`))).toBeGreaterThan(50_000);
  });

  test('dead letters are bounded', async () => {
    const { append, group, key } = await openFresh();
    await redis.cli('EVAL', `for i=1,10000 do redis.call('XADD',KEYS[1],'*','n',i) end`, '1', `${key}:dead:referee`);
    await append('a');
    await group.hold('r1', LEASE_MS);
    const [a] = await group.read('r1', AT_ONCE);
    await group.deadLetter('r1', idOf(a), 'no');
    expect(await redis.cli('XLEN', `${key}:dead:referee`)).toBe('10000');
    expect((await group.deadLetters(1))[0], 'what others wrote there harms nobody').toMatchObject({ reason: '' });
  });

  test('dead-letters a malformed event, and hands out the next ones', async () => {
    const { append, group, key } = await openFresh();
    const good = ['user', '{"id":"u","name":"U"}', 'session', 's', 'node', 'n', 'rooms', '[]', 'at', '1'];
    const foreign = [
      ['hello', 'world'],
      ['type', 't', 'id', 'i', 'payload', '[1]', ...good],
      ['type', 't', 'id', 'i', 'payload', '{', ...good],
      ['type', 't', 'id', 'i', 'payload', '{}', ...good.slice(0, -1), 'soon'],
      ['type', 't', 'id', 'i', 'payload', '{}', ...good.slice(2)],
      ['type', 't', 'id', 'i', 'payload', '{}', ...good, 'rooms', '7', 'entry', 'x'],
    ];
    for (const fields of foreign) await redis.cli('XADD', key, '*', ...fields);
    await redis.cli(
      'EVAL',
      `local f={} for i=1,7994 do f[i]='f' end redis.call('XADD',KEYS[1],'*',unpack(f))`,
      '1',
      key,
    );
    await append('mine');
    await group.hold('r1', LEASE_MS);
    const entries = [
      ...(await group.read('r1', { limit: 2, waitMs: 0 })),
      ...(await group.read('r1', { limit: 100, waitMs: 0 })),
    ];
    expect(textsOf(entries), 'the one whose fields only come twice is an event').toEqual(['i', 'mine']);
    const letters = await group.deadLetters(100);
    expect(letters.map(({ reason, event }) => [reason, event])).toEqual(
      Array.from({ length: 6 }, () => ['malformed', undefined]),
    );
    expect(await redis.cli('XRANGE', `${key}:dead:referee`, '-', '+', 'COUNT', '1')).toContain('hello\nworld');
  });

  test('entries deleted by another program are skipped; those behind them are handed out', async () => {
    const { append, group, key } = await openFresh();
    for (const text of ['a', 'b', 'c', 'd', 'e']) await append(text);
    await group.hold('r1', LEASE_MS);
    const entries = await group.read('r1', AT_ONCE);
    await redis.cli('XDEL', key, ...entries.slice(0, 3).map(idOf));
    await group.release('r1');
    await group.hold('r2', LEASE_MS);
    expect(textsOf(await group.read('r2', { limit: 2, waitMs: 0 })), 'not nothing').toEqual(['d']);
    expect(textsOf(await group.read('r2', AT_ONCE))).toEqual(['e']);
    expect((await redis.cli('XPENDING', key, 'referee')).split('\n')[0]).toBe('2');
  });

  test('a group of another program counts: its unacknowledged events stay, and it can make room', async () => {
    const { append, log, group, key } = await openFresh();
    await redis.cli('XGROUP', 'CREATE', key, 'python', '0', 'MKSTREAM');
    for (const text of ['a', 'b']) await append(text, { maxLength: 2 });
    await group.hold('r1', LEASE_MS);
    await group.acknowledge('r1', (await group.read('r1', AT_ONCE)).map(idOf));
    await group.hold('r1', LEASE_MS);
    await expect(append('c', { maxLength: 2 })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await log.backlog('game')).toEqual({
      length: 2,
      groups: [
        { group: 'python', waiting: 2 },
        { group: 'referee', waiting: 0 },
      ],
    });
    const read = await redis.cli('XREADGROUP', 'GROUP', 'python', 'p', 'STREAMS', key, '>');
    const ids = read.split('\n').filter(line => /^\d+-\d+$/.test(line));
    expect(ids).toHaveLength(2);
    await redis.cli('XACK', key, 'python', ...ids);
    expect((await append('c', { maxLength: 2 })).repeated).toBe(false);
  });

  test('an operator frees a log from an abandoned group', async () => {
    const { append, group, key } = await openFresh();
    await redis.cli('XGROUP', 'CREATE', key, 'abandoned', '0', 'MKSTREAM');
    await append('a', { maxLength: 1 });
    await group.hold('r1', LEASE_MS);
    await group.acknowledge('r1', (await group.read('r1', AT_ONCE)).map(idOf));
    await expect(append('b', { maxLength: 1 })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await redis.cli('XGROUP', 'DESTROY', key, 'abandoned');
    await append('b', { maxLength: 1 });
  });

  test('a group whose log is lost under it begins again with the oldest event', async () => {
    const { append, group, key } = await openFresh();
    await append('a');
    await group.hold('r1', LEASE_MS);
    const [a] = await group.read('r1', AT_ONCE);
    await redis.cli('DEL', key);
    await append('b');
    expect(textsOf(await group.read('r1', AT_ONCE))).toEqual(['b']);
    await group.acknowledge('r1', [idOf(a)]);
    await redis.cli('XGROUP', 'DESTROY', key, 'referee');
    await group.deadLetter('r1', idOf(a), 'no');
    await expect(group.retry('r1', idOf(a))).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await group.hold('r1', LEASE_MS);
    expect(textsOf(await group.read('r1', AT_ONCE))).toEqual(['b']);
  });

  test('one consumer is known to Redis, however many came and went', async () => {
    const { append, group, key } = await openFresh();
    for (const consumer of ['r1', 'r2', 'r3']) {
      await append(consumer);
      await group.hold(consumer, LEASE_MS);
      await group.read(consumer, AT_ONCE);
      await group.release(consumer);
    }
    expect((await redis.cli('XINFO', 'CONSUMERS', key, 'referee')).split('\n')[1]).toBe('hubbub');
    expect((await redis.cli('XINFO', 'CONSUMERS', key, 'referee')).match(/^name$/gm)).toHaveLength(1);
  });
});
