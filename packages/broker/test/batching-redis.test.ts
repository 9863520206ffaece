/** Commands leave soon, however long the turn of the event loop lasts, and few writes carry many of them. */
import { spawnSync } from 'node:child_process';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRedis, type TestRedis } from '../../../tests/support/redis.js';
import { BatchingRedis, COMMANDS_PER_WRITE } from '../src/redis/batching-redis.js';

let server: TestRedis;
let redis: Redis;

beforeAll(async () => {
  server = await startRedis({ own: true });
  const { hostname, port } = new URL(server.url);
  redis = new BatchingRedis({
    host: hostname,
    port: Number(port),
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  });
  await new Promise(resolve => redis.once('ready', resolve));
});

afterAll(() => redis.disconnect());

/** The value of a counter in Redis, read without ending the turn of this event loop. */
function executed(key: string): number {
  const ask = `import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis'; const redis = new Redis(process.argv[1]);
    console.log(await redis.get(process.argv[2]) ?? 0); redis.disconnect();`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', ask, server.url, key], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  });
  return Number(stdout);
}

test('a command that finds nothing in flight does not wait for the end of the turn', async () => {
  const answer = redis.incr('one');
  expect(executed('one')).toBe(1);
  await answer;
});

test('many commands do not wait for the end of the turn either, but the last ones do', async () => {
  const count = 3 * COMMANDS_PER_WRITE + 3;
  const answers = Array.from({ length: count }, () => redis.incr('many'));
  const soon = executed('many');
  expect(soon).toBeGreaterThanOrEqual(3 * COMMANDS_PER_WRITE);
  expect(soon).toBeLessThan(count);
  expect(await Promise.all(answers)).toEqual(Array.from({ length: count }, (_, index) => index + 1));
});

test('the answer to a command sends those that waited for it', async () => {
  await sleep(1); // From a timer on, the sockets are read before the turn ends.
  const [first, second] = [redis.incr('answered'), redis.incr('answered')];
  expect(executed('answered')).toBe(1);
  expect(await first.then(() => executed('answered'))).toBe(2);
  await second;
});

test('the end of the turn sends the waiting commands, also where the answer is late', async () => {
  await server.pause();
  const answers = [redis.incr('late'), redis.incr('late')];
  expect(redis.stream.writableCorked).toBe(1);
  await nextTurn();
  expect(redis.stream.writableCorked).toBe(0);
  await server.resume();
  await Promise.all(answers);
});

test('commands of one turn share writes', async () => {
  const writes: number[] = [];
  const { stream } = redis;
  const before = stream.bytesWritten;
  const write = stream._writev?.bind(stream);
  stream._writev = (chunks, done) => {
    writes.push(chunks.length);
    write?.(chunks, done);
  };
  await Promise.all(Array.from({ length: 10 }, () => redis.publish('channel', Buffer.from('bytes'))));
  expect(writes).toEqual([9]);
  expect(stream.bytesWritten).toBeGreaterThan(before);
  delete (stream as { _writev?: unknown })._writev;
});

test('commands that wait when the connection breaks are refused, and the next connection works', async () => {
  const answers = Array.from({ length: 5 }, () => redis.incr('broken'));
  redis.stream.destroy();
  for (const outcome of await Promise.allSettled(answers)) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'MaxRetriesPerRequestError' } });
  }
  await new Promise(resolve => redis.once('ready', resolve));
  expect(await Promise.all([redis.incr('next'), redis.incr('next')])).toEqual([1, 2]);
});
