/** The kit starts a real Redis, and applies what tests do to it. */

import { eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { startRedis } from '../redis.js';

describe('a Redis of the test', () => {
  test('answers a client and the command line', async () => {
    const redis = await startRedis();
    await redis.connection().set(`${redis.prefix}:greeting`, 'hello');
    expect(await redis.cli('GET', `${redis.prefix}:greeting`)).toBe('hello');
  });

  test('has a unique prefix, and a unique port if own is set', async () => {
    const [one, other] = await Promise.all([startRedis(), startRedis()]);
    expect(one.prefix).not.toBe(other.prefix);
    const owned = await Promise.all([startRedis({ own: true }), startRedis({ own: true })]);
    expect(owned[0].port).not.toBe(owned[1].port);
  });

  test('loses its data in a restart, unless keepData is set', async () => {
    const redis = await startRedis({ own: true });
    const connection = redis.connection();
    await connection.set('key', 'kept');
    const firstPid = redis.pid;

    await redis.restart({ keepData: true });
    expect(redis.pid).not.toBe(firstPid);
    expect(await connection.get('key')).toBe('kept');

    await redis.restart();
    expect(await connection.get('key')).toBeNull();
  });

  test('has the data of its last SAVE after a restart that keeps no other', async () => {
    const redis = await startRedis({ own: true });
    const connection = redis.connection();
    await connection.set('key', 'saved');
    await redis.cli('SAVE');
    await connection.set('key', 'later');
    await redis.restart({ keepData: 'saved' });
    expect(await connection.get('key')).toBe('saved');
  });

  test('is silent while frozen and answers afterwards', async () => {
    const redis = await startRedis({ own: true });
    const connection = redis.connection({ commandTimeout: 300 });
    await connection.ping();

    await redis.pause();
    await expect(connection.ping()).rejects.toThrow('timed out');

    await redis.resume();
    expect(await eventually(() => connection.ping(), { describe: 'Redis answers again' })).toBe('PONG');
  });

  test('refuses connections after it was stopped, even if it was frozen', async () => {
    const redis = await startRedis({ own: true });
    const { pid } = redis;
    await redis.pause();
    await redis.stop();
    if (pid !== undefined) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});
