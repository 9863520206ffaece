/** Histories, in memory and on Redis. */
import { encodeEnvelope } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import { PROVISION_TIMEOUT_MS } from '../../../tests/support/provision.js';
import { startRedis, type TestRedis } from '../../../tests/support/redis.js';
import { MemoryExchange } from '../src/memory/memory-broker.js';
import { MemoryHistory } from '../src/memory/memory-history.js';
import { RedisBroker } from '../src/redis/redis-broker.js';
import { RedisHistory } from '../src/redis/redis-history.js';
import { historyConformance } from './history-conformance.js';

describe('in memory', () => {
  historyConformance(async () => {
    const exchange = new MemoryExchange();
    return { history: new MemoryHistory(exchange), broker: exchange.connect() };
  });
});

describe('on Redis', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startRedis();
  }, PROVISION_TIMEOUT_MS);

  async function open(on: TestRedis, commandTimeoutMs = 5000) {
    const topology = on.topology({ commandTimeoutMs, waitForConnection: false });
    await topology.connected(commandTimeoutMs);
    return {
      history: new RedisHistory({ redis: topology, prefix: on.prefix }),
      broker: new RedisBroker(topology),
      commands: topology.shardOf(on.prefix).commands,
    };
  }
  const message = (text: string) => ({
    room: 'general',
    channel: 'c',
    envelope: encodeEnvelope({ encoding: 'json', publishedAtMs: 1 }, Buffer.from(text)),
    size: 10,
    ttlMs: 60_000,
  });

  historyConformance(() => open(redis));

  test('every key has a time to live', async () => {
    const { history } = await open(redis);
    await history.append({ ...message('a'), idempotencyKey: 'alice/1' });
    for (const [name, ttlMs] of [
      ['stream', 60_000],
      ['meta', 120_000],
      ['id:alice/1', 300_000],
    ] as const) {
      const left = Number(await redis.cli('PTTL', `${redis.prefix}:history:{general}:${name}`));
      expect(left, name).toBeGreaterThan(ttlMs - 20_000);
      expect(left, name).toBeLessThanOrEqual(ttlMs);
    }
  });

  test('an append that a frozen Redis did not answer, and its retry, are one', async () => {
    const own = await startRedis({ own: true });
    const { history } = await open(own, 200);
    const before = await history.append(message('before'));
    await own.pause();
    cleanup(() => own.resume());
    const retried = { ...message('once'), idempotencyKey: 'alice/1' };
    await expect(history.append(retried)).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    await own.resume();
    const answer = await eventually(() => history.append(retried));
    expect(answer.offset).toBe(before.offset + 1);
    expect((await history.read({ room: 'general', ttlMs: 60_000, limit: 0 })).offset).toBe(before.offset + 1);
  });

  test('order holds from the first command of a connection on, after Redis forgot its scripts', async () => {
    const own = await startRedis({ own: true });
    const { history, commands } = await open(own);
    await own.cli('SCRIPT', 'FLUSH');
    commands.disconnect(true);
    await eventually(() => history.append(message('first')));
    const sent: Promise<{ offset: number }>[] = [];
    for (let index = 0; index < 20; index++) {
      sent.push(history.append(message(`${index}`)));
      await new Promise(resolve => setImmediate(resolve));
    }
    const found = (await Promise.all(sent)).map(({ offset }) => offset);
    expect(found).toEqual([...found].sort((a, b) => a - b));
  });
});
