/** The kit starts a real Redis, and what tests do to it happens. */
import { describe, expect, test } from 'vitest';
import { eventually } from '../eventually.js';
import { startRedis } from '../redis.js';

const ownServer = process.env.HUBBUB_TEST_REDIS_URL === undefined;

describe('a Redis of the test', () => {
  test('answers a client and the command line', async () => {
    const redis = await startRedis();
    await redis.connection().set(`${redis.prefix}:greeting`, 'hello');
    expect(await redis.cli('GET', `${redis.prefix}:greeting`)).toBe('hello');
  });

  test('is a server or a prefix of its own each time', async () => {
    const [one, other] = await Promise.all([startRedis(), startRedis()]);
    expect(one.prefix).not.toBe(other.prefix);
    if (ownServer) expect(one.port).not.toBe(other.port);
  });

  test.runIf(ownServer)('forgets everything in a restart, unless it is told to keep it', async () => {
    const redis = await startRedis();
    const connection = redis.connection();
    await connection.set('key', 'kept');
    const firstPid = redis.pid;

    await redis.restart({ keepData: true });
    expect(redis.pid).not.toBe(firstPid);
    expect(await connection.get('key')).toBe('kept');

    await redis.restart();
    expect(await connection.get('key')).toBeNull();
  });

  test.runIf(ownServer)('is silent while it is frozen and answers afterwards', async () => {
    const redis = await startRedis();
    const connection = redis.connection({ commandTimeout: 300 });
    await connection.ping();

    await redis.pause();
    await expect(connection.ping()).rejects.toThrow('timed out');

    await redis.resume();
    expect(await eventually(() => connection.ping(), { describe: 'Redis answers again' })).toBe('PONG');
  });

  test.runIf(ownServer)('refuses connections after it was stopped, also when it was frozen', async () => {
    const redis = await startRedis();
    const { pid } = redis;
    await redis.pause();
    await redis.stop();
    if (pid !== undefined) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});
