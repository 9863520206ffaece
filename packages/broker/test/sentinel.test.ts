/** The broker and a history behind Sentinels, through failovers. */
import { encodeEnvelope } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import type { TestRedis } from '../../../tests/support/redis.js';
import { DOWN_AFTER_MS, startSentinelRedis } from '../../../tests/support/redis-sentinel.js';
import type { Interruption } from '../src/broker.js';
import { openRedisTopology } from '../src/redis/open-topology.js';
import { RedisBroker } from '../src/redis/redis-broker.js';
import { RedisHistory } from '../src/redis/redis-history.js';

const CHANNEL = 'hubbub:room:{general}';

async function open() {
  const redis = await startSentinelRedis();
  const topology = openRedisTopology(redis.url, { commandTimeoutMs: 1000, onError() {} });
  const broker = new RedisBroker(topology);
  cleanup(() => broker.close());
  const heard: number[] = [];
  const interruptions: Interruption[] = [];
  broker.onEnvelope((_, envelope) => heard.push(Number(Buffer.from(envelope).toString())));
  broker.onInterruption(interruption => interruptions.push(interruption));
  await eventually(() => broker.subscribe(CHANNEL).then(() => true), { describe: 'the primary is found' });
  const publish = (number: number) => broker.publish(CHANNEL, Buffer.from(String(number))).then(() => true);
  /** Publishes until a message is received again; returns how long that took. */
  const untilHeard = async (): Promise<number> => {
    const from = performance.now();
    let number = 1000;
    await eventually(
      async () => {
        await publish(++number);
        return heard.some(received => received > 1000);
      },
      { describe: 'messages flow again' },
    );
    return performance.now() - from;
  };
  return { redis, topology, broker, heard, interruptions, publish, untilHeard };
}

const other = (servers: readonly [TestRedis, TestRedis], one: TestRedis): TestRedis =>
  servers[0] === one ? servers[1] : servers[0];

describe('behind Sentinels', () => {
  test('a planned failover interrupts the subscriptions once, and messages flow again at the new primary', async () => {
    const { redis, heard, interruptions, publish, untilHeard } = await open();
    await publish(1);
    await eventually(() => heard.includes(1));
    const before = await redis.primary();
    await redis.failOver();
    await eventually(() => interruptions.length > 0, { describe: 'the subscription is at the new primary' });
    await untilHeard();
    expect(interruptions).toMatchObject([{ channels: [CHANNEL] }]);
    console.info(`planned failover: ${interruptions[0]?.durationMs} ms`);
    expect(await other(redis.servers, before).cli('PUBSUB', 'CHANNELS', CHANNEL)).toBe(CHANNEL);
    expect(heard).toEqual([...heard].sort((a, b) => a - b));
  });

  test('after kill -9 of the primary the replica takes over', async () => {
    const { redis, publish, heard, untilHeard } = await open();
    await publish(1);
    await eventually(() => heard.includes(1));
    await (await redis.primary()).halt();
    const ms = await untilHeard();
    console.info(`kill -9: ${Math.round(ms)} ms, of which the Sentinels wait ${DOWN_AFTER_MS} ms`);
  });

  test('a frozen primary is left, and its thaw changes nothing', async () => {
    const { redis, broker, topology, heard, interruptions, untilHeard } = await open();
    const history = new RedisHistory({ redis: topology, prefix: 'hubbub' });
    const frozen = await redis.primary();
    await frozen.pause();
    cleanup(() => frozen.resume());
    const ms = await untilHeard();
    console.info(`frozen primary: ${Math.round(ms)} ms, of which the Sentinels wait ${DOWN_AFTER_MS} ms`);
    const known = interruptions.length;
    await frozen.resume();
    // A message that reaches the former primary before it follows the new one must reach no subscriber of ours.
    await frozen.cli('PUBLISH', CHANNEL, '1').catch(() => {});
    await eventually(async () => (await frozen.cli('ROLE')).startsWith('slave'), { describe: 'it is a replica now' });
    const append = {
      room: 'general',
      channel: CHANNEL,
      envelope: encodeEnvelope({ encoding: 'json', publishedAtMs: 1 }, Buffer.from('{}')),
      size: 10,
      ttlMs: 60_000,
    };
    expect(await history.append(append)).toMatchObject({ offset: 1 });
    await broker.publish(CHANNEL, Buffer.from('9999'));
    await eventually(() => heard.includes(9999));
    expect(heard).not.toContain(1);
    expect(interruptions.length).toBe(known);
  });

  test('a Sentinel that dies is replaced by the next one', async () => {
    const { redis, untilHeard } = await open();
    await redis.sentinels[0]?.halt({ keepData: true });
    await (await redis.primary().catch(() => redis.servers[0])).halt();
    await untilHeard();
  });
});
