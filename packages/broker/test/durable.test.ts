/** Durable appends: they resolve when a replica has them, on each topology that has replicas. */
import { randomUUID } from 'node:crypto';
import { encodeEnvelope } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { startRedis, type TestRedis } from '../../../tests/support/redis.js';
import { startRedisCluster } from '../../../tests/support/redis-cluster.js';
import { startSentinelRedis } from '../../../tests/support/redis-sentinel.js';
import { RedisHistory } from '../src/redis/redis-history.js';
import { ReplicaWait, type WaitOutcome } from '../src/redis/replica-wait.js';

interface Replicated {
  readonly url: string;
  readonly servers: readonly TestRedis[];
  pauseReplicas(): Promise<void>;
  resumeReplicas(): Promise<void>;
}

async function replicated(url: string, servers: readonly TestRedis[], replicas: readonly TestRedis[]) {
  const all = (action: 'pause' | 'resume') => async () => void (await Promise.all(replicas.map(one => one[action]())));
  return { url, servers, pauseReplicas: all('pause'), resumeReplicas: all('resume') };
}

async function startWithReplica(): Promise<Replicated> {
  const primary = await startRedis({ own: true });
  const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(primary.port)] });
  await eventually(async () => (await replica.cli('ROLE')).includes('connected'), { describe: 'the replica follows' });
  return await replicated(primary.url, [primary, replica], [replica]);
}

const TOPOLOGIES: Readonly<Record<string, () => Promise<Replicated>>> = {
  'one server with a replica': startWithReplica,
  'the primary of Sentinels': async () => {
    const { url, servers } = await startSentinelRedis();
    return await replicated(url, servers, [servers[1]]);
  },
  'a Redis Cluster': async () => {
    const { url, servers } = await startRedisCluster();
    const isReplica = await Promise.all(servers.map(async server => (await server.cli('ROLE')).startsWith('slave')));
    return await replicated(
      url,
      servers,
      servers.filter((_, index) => isReplica[index]),
    );
  },
};

const envelope = encodeEnvelope({ encoding: 'json', publishedAtMs: 1 }, Buffer.from('{"type":"a"}'));

async function openHistory({ url, servers }: Pick<Replicated, 'url' | 'servers'>, durableTimeoutMs = 300) {
  const [server] = servers as [TestRedis];
  const redis = server.topology({ url });
  await redis.connected(5000);
  const waits: WaitOutcome[] = [];
  const onDurableWait = (outcome: WaitOutcome) => waits.push(outcome);
  const history = new RedisHistory({ redis, prefix: server.prefix, durableTimeoutMs, onDurableWait });
  await eventually(() => redis.shards.every(({ term }) => term.current !== ''), { describe: 'the term is known' });
  const append = (room: string, durable: boolean, idempotencyKey?: string) =>
    history.append({
      room,
      channel: `room:{${room}}`,
      envelope,
      size: 10_000,
      ttlMs: 60_000,
      durable,
      ...(idempotencyKey !== undefined && { idempotencyKey }),
    });
  return { redis, history, append, waits };
}

describe.each(Object.entries(TOPOLOGIES))('on %s', { timeout: 60_000 }, (_, start) => {
  test('an append resolves when a replica has it; without an answer its outcome is unknown, and a retry finds it', async () => {
    const servers = await start();
    const { append, history, waits } = await openHistory(servers);
    const room = `chat:${randomUUID()}`;
    // A replica that has just connected confirms nothing for a second.
    const { offset } = await eventually(() => append(room, true), { describe: 'the replica confirms' });
    expect(waits.at(-1)).toMatchObject({ confirmed: 1, unconfirmed: 0 });
    await servers.pauseReplicas();
    await expect(append(room, true, 'k')).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    expect(waits.at(-1)).toMatchObject({ confirmed: 0, unconfirmed: 1 });
    // It is published: members may have it.
    expect(await history.read({ room, ttlMs: 60_000, limit: 10 })).toMatchObject({ offset: offset + 1 });
    expect(await append(room, false)).toMatchObject({ offset: offset + 2 });
    await servers.resumeReplicas();
    const retry = await eventually(() => append(room, true, 'k'), { describe: 'the replica confirms the retry' });
    expect(retry).toMatchObject({ offset: offset + 1, repeated: true });
  });
});

describe('the waits for a replica', { timeout: 60_000 }, () => {
  test('are shared by the appends of a moment, which keep their order', async () => {
    const { append, waits } = await openHistory(await startWithReplica(), 5000);
    const room = `chat:${randomUUID()}`;
    const appends = await Promise.all(Array.from({ length: 2000 }, () => append(room, true)));
    expect(appends.map(({ offset }) => offset)).toEqual(Array.from({ length: 2000 }, (_, index) => index + 1));
    expect(waits.reduce((sum, { confirmed }) => sum + confirmed, 0)).toBe(2000);
    expect(waits.length).toBeLessThan(200);
  });

  test('delay no append that needs none, and end in time where there is no replica', async () => {
    const primary = await startRedis({ own: true });
    const { append, waits } = await openHistory({ url: primary.url, servers: [primary] }, 5000);
    const order: string[] = [];
    const durable = append('chat:1', true).then(
      () => order.push('confirmed'),
      ({ code }) => order.push(code),
    );
    for (let number = 0; number < 50; number++) await append('chat:1', false);
    order.push('others');
    await durable;
    expect(order).toEqual(['others', 'OUTCOME_UNKNOWN']);
    expect(waits).toEqual([expect.objectContaining({ confirmed: 0, unconfirmed: 1 })]);
  });

  test('confirm nothing of another term: the replica of a new primary may lack what the old one wrote', async () => {
    const { redis, append } = await openHistory(await startWithReplica());
    const [shard] = redis.shards;
    if (shard === undefined) throw new Error('There is no shard.');
    await eventually(() => append('chat:1', true), { describe: 'the replica confirms' });
    const wait = new ReplicaWait(shard, { timeoutMs: 300, onOutcome() {} });
    const write = { ttlMs: 60_000, term: shard.term.current };
    const key = (await shard.commands.keys('*:{chat:1}:meta'))[0] ?? '';
    expect(await wait.confirm({ ...write, key })).toBe(true);
    expect(await wait.confirm({ ...write, key, term: 'f'.repeat(40) })).toBe(false);
    expect(await wait.confirm({ ...write, key: 'gone' })).toBe(false);
  });
});
