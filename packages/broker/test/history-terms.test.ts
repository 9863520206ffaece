/** Histories on a Redis that is another server than before, or has older data (docs/decisions/0007). */
import { encodeEnvelope, type Position } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { startRedis } from '../../../tests/support/redis.js';
import { type AcknowledgedLoss, type HistoryAppend, locate } from '../src/history.js';
import { RedisHistory } from '../src/redis/redis-history.js';

const ROOM = 'general';

async function start(user?: string) {
  const redis = await startRedis({ own: true, args: ['--enable-protected-configs', 'yes'] });
  if (user !== undefined) await redis.cli('ACL', 'SETUSER', 'limited', 'on', '>secret', '~*', '&*', '+@all', user);
  const url = user === undefined ? redis.url : redis.url.replace('//', '//limited:secret@');
  const losses: AcknowledgedLoss[] = [];
  const open = () => {
    const topology = redis.topology({ url });
    const history = new RedisHistory({
      redis: topology,
      prefix: redis.prefix,
      onAcknowledgedLoss: loss => losses.push(loss),
    });
    const envelope = encodeEnvelope({ encoding: 'json', publishedAtMs: 1 }, Buffer.from('{}'));
    const message = { room: ROOM, channel: 'c', envelope, size: 100, ttlMs: 60_000 };
    return {
      term: topology.shardOf(ROOM).term,
      append: (more: Partial<HistoryAppend> = {}) => eventually(() => history.append({ ...message, ...more })),
      read: (known?: Position) =>
        eventually(() => history.read({ room: ROOM, ttlMs: 60_000, limit: 100, ...(known && { known }) })),
    };
  };
  return {
    redis,
    losses,
    open,
    meta: (...words: string[]) => {
      const [command = '', ...rest] = words;
      return redis.cli(command, `${redis.prefix}:history:{${ROOM}}:meta`, ...rest);
    },
    async rewind() {
      await redis.cli('CONFIG', 'SET', 'dbfilename', 'later.rdb');
      await redis.restart({ keepData: true });
    },
  };
}

test('the first call after a restart continues in a new epoch, whichever process makes it', async () => {
  const { redis, open, rewind, losses } = await start();
  const [publisher, reader] = [open(), open()];
  for (let n = 0; n < 5; n++) await publisher.append();
  await redis.cli('SAVE');
  const { epoch } = await publisher.append();
  await rewind();
  const page = await reader.read();
  expect(page.epoch).not.toBe(epoch);
  expect(page).toMatchObject({ offset: 5, bridges: [{ epoch, offset: 5 }] });
  expect(page.entries).toHaveLength(5);
  expect([5, 6].map(offset => locate({ epoch, offset }, page)?.epoch)).toEqual([page.epoch, undefined]);
  expect(await publisher.append()).toEqual({ epoch: page.epoch, offset: 6, repeated: false });
  await eventually(() => losses.length > 0);
  expect(losses).toEqual([{ room: ROOM, epoch, offset: 6, keptOffset: 5 }]);
});

test('a key that Redis still has names its message in the new epoch; a lost one publishes again', async () => {
  const { redis, open, rewind } = await start();
  const { append } = open();
  const kept = await append({ idempotencyKey: 'kept' });
  await redis.cli('SAVE');
  await append({ idempotencyKey: 'lost' });
  await rewind();
  const again = await append({ idempotencyKey: 'lost' });
  expect(again).toMatchObject({ offset: 2, repeated: false });
  expect(again.epoch).not.toBe(kept.epoch);
  expect(await append({ idempotencyKey: 'kept' })).toEqual({ epoch: again.epoch, offset: 1, repeated: true });
});

test('a room of an earlier version adopts the term without a new epoch', async () => {
  const { open, meta } = await start();
  const { append, read, term } = open();
  const { epoch } = await append();
  await eventually(() => term.current !== '');
  await meta('HDEL', 'term');
  expect(await read()).toMatchObject({ epoch, bridges: [] });
  expect(await meta('HGET', 'term')).toBe(term.current);
});

test('a server that changes its term under an open connection is found within seconds', async () => {
  const { redis, open } = await start();
  const { append, term, read } = open();
  const { epoch } = await append();
  const before = await eventually(() => term.current);
  // A replica of nothing, and promoted: the shortest failover.
  await redis.cli('REPLICAOF', '127.0.0.1', '1');
  await redis.cli('REPLICAOF', 'NO', 'ONE');
  const now = await eventually(() => term.current !== before && term.current);
  expect(now).toMatch(/^\w{40}$/);
  expect((await read()).bridges).toEqual([{ epoch, offset: 1 }]);
});

test('without the right to INFO only a known position reveals older data', async () => {
  const { redis, open, rewind } = await start('-info');
  const { append, read, term } = open();
  await append();
  await redis.cli('SAVE');
  const known = await append();
  await redis.cli('ACL', 'LIST');
  await rewind();
  await redis.cli('ACL', 'SETUSER', 'limited', 'on', '>secret', '~*', '&*', '+@all', '-info');
  expect(await read()).toMatchObject({ epoch: known.epoch, offset: 1 });
  expect(term.current).toBe('');
  expect((await read(known)).bridges).toEqual([{ epoch: known.epoch, offset: 1 }]);
});

test('an append of an epoch that is gone as a whole is reported as lost', async () => {
  const { redis, open, losses } = await start();
  const { append } = open();
  const { epoch } = await append();
  await append();
  await redis.restart();
  await eventually(() => losses.length > 0);
  expect(losses).toEqual([{ room: ROOM, epoch, offset: 2, keptOffset: 0 }]);
});
