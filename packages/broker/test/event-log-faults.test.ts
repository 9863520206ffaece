/** Logs of client events on a Redis that fails: the entries kept, the errors reported, and the cost of waiting. */

import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import { startRedis } from '../../../tests/support/redis.js';
import { AT_ONCE, eventOf, idOf, LEASE_MS, textsOf } from './event-stories.js';
import { openRedisEventLog } from './redis-event-log.js';

test('a waiting read continues when its connections are cut, and gets what comes then', async () => {
  const redis = await startRedis({ own: true });
  const { append, group } = await openRedisEventLog(redis);
  await group.hold('r1', LEASE_MS);
  const reading = group.read('r1', { limit: 10, waitMs: 15_000 }).catch(error => error);
  await eventually(async () => (await redis.cli('CLIENT', 'LIST')).includes('cmd=xread'), {
    describe: 'the read waits',
  });
  await redis.cli('CLIENT', 'KILL', 'TYPE', 'normal');
  await eventually(() => append('a').then(() => true));
  const got = await reading;
  // If the other connection had not recovered, the error was UNAVAILABLE: the next read gets the event.
  const entries = got instanceof Error ? await eventually(() => group.read('r1', AT_ONCE)) : got;
  expect(textsOf(entries)).toEqual(['a']);
});

test('the entries of a read whose answer was lost arrive with the next read, without those in progress', async () => {
  const redis = await startRedis({ own: true });
  const { append, group, commands } = await openRedisEventLog(redis, { commandTimeoutMs: 300 });
  await group.hold('r1', LEASE_MS);
  await append('handled');
  expect(textsOf(await group.read('r1', AT_ONCE))).toEqual(['handled']);
  await append('lost on the way');
  await redis.pause();
  cleanup(() => redis.resume());
  await expect(group.read('r1', AT_ONCE)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await redis.resume();
  await eventually(() => commands.ping());
  await eventually(async () => (await redis.cli('INFO', 'commandstats')).includes('cmdstat_xreadgroup'));
  const [entry, ...more] = await group.read('r1', AT_ONCE);
  expect(entry).toMatchObject({ event: eventOf('lost on the way'), attempt: 2 });
  expect(more).toEqual([]);
});

test('a restart that keeps the data keeps waiting events, handed-out ones, their attempts and the lease', async () => {
  const redis = await startRedis({ own: true });
  const { append, group, log } = await openRedisEventLog(redis);
  for (const text of ['a', 'b', 'c']) await append(text, { idempotencyKey: text });
  await group.hold('r1', LEASE_MS);
  const [a, b] = await group.read('r1', { limit: 2, waitMs: 0 });
  await group.retry('r1', idOf(b));
  await redis.restart({ keepData: true });
  await eventually(() => group.acknowledge('r1', [idOf(a)]).then(() => true));
  expect(textsOf(await group.read('r1', AT_ONCE))).toEqual(['c']);
  expect(await append('c', { idempotencyKey: 'c' })).toMatchObject({ repeated: true });
  const other = log.group('game', 'referee');
  expect(await other.hold('r2', LEASE_MS)).toBe(false);
  await group.release('r1');
  expect(await other.hold('r2', LEASE_MS)).toBe(true);
  const taken = await other.read('r2', AT_ONCE);
  expect(taken.map(({ event, attempt }) => [event.id, attempt])).toEqual([
    ['b', 3],
    ['c', 2],
  ]);
});

test('a Redis that restarts empty takes the lease from its holder, which begins again', async () => {
  const redis = await startRedis({ own: true });
  const { append, group } = await openRedisEventLog(redis);
  await append('a');
  await group.hold('r1', LEASE_MS);
  await group.read('r1', AT_ONCE);
  await redis.restart();
  await eventually(() => append('b').then(() => true));
  await expect(group.read('r1', AT_ONCE)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  expect(await group.hold('r1', LEASE_MS)).toBe(true);
  expect(textsOf(await group.read('r1', AT_ONCE))).toEqual(['b']);
});

test('while Redis is down every call rejects with UNAVAILABLE, except a release, which never rejects', async () => {
  const redis = await startRedis({ own: true });
  const { append, group, log } = await openRedisEventLog(redis);
  await group.hold('r1', LEASE_MS);
  await redis.halt();
  await eventually(() => append('a').catch(error => error.code === 'UNAVAILABLE'));
  for (const call of [
    () => append('b'),
    () => log.backlog('game'),
    () => group.hold('r1', LEASE_MS),
    () => group.read('r1', AT_ONCE),
    () => group.acknowledge('r1', ['1-0']),
    () => group.deadLetter('r1', '1-0', 'no'),
    () => group.retry('r1', '1-0'),
    () => group.deadLetters(1),
  ]) {
    await expect(call()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  }
  await group.release('r1');
});

test('an idle group costs Redis a few commands a second, and a new event reaches it immediately', async () => {
  const redis = await startRedis({ own: true });
  const { append, group, commands } = await openRedisEventLog(redis);
  await group.hold('r1', LEASE_MS);
  const commandsSoFar = async () => Number(/total_commands_processed:(\d+)/.exec(await commands.info('stats'))?.[1]);
  await group.read('r1', { limit: 10, waitMs: 50 }); // The waiting connection is opened now.
  const before = await commandsSoFar();
  await group.read('r1', { limit: 10, waitMs: 1000 });
  expect((await commandsSoFar()) - before).toBeLessThan(15); // The commands inside scripts count, too.
  // Each read would wait for 10 minutes, so the test ends only if the event itself ends the wait.
  for (let round = 0; round < 20; round++) {
    const reading = group.read('r1', { limit: 10, waitMs: 600_000 });
    await eventually(async () => (await redis.cli('CLIENT', 'LIST')).includes('cmd=xread'));
    await append(`${round}`);
    expect(await reading).toHaveLength(1);
  }
});
