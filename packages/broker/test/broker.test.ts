/** Both brokers keep the same guarantees; and what only Redis can do to one. */
import { describe, expect, test } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import { eventually } from '../../../tests/support/eventually.js';
import { startRedis, type TestRedis } from '../../../tests/support/redis.js';
import type { Broker, Interruption } from '../src/broker.js';
import { MemoryBus } from '../src/memory/memory-broker.js';
import { createRedisBroker } from '../src/redis/redis-broker.js';
import { brokerConformance } from './broker-conformance.js';

brokerConformance('memory', async () => {
  const bus = new MemoryBus();
  return async () => bus.connect();
});

brokerConformance('redis', async () => {
  const redis = await startRedis();
  return () => openBroker(redis);
});

async function openBroker(redis: TestRedis, commandTimeoutMs = 5000): Promise<Broker> {
  const broker = createRedisBroker(redis.url, { commandTimeoutMs });
  await eventually(() => broker.subscribe('ready').then(() => true), { describe: 'the broker is connected' });
  await eventually(() => broker.publish('ready', Buffer.from('')).then(() => true));
  await broker.unsubscribe('ready');
  return broker;
}

describe('a broker whose Redis fails', () => {
  async function listening(redis: TestRedis, options?: { commandTimeoutMs: number }) {
    const broker = await openBroker(redis, options?.commandTimeoutMs);
    const heard: string[] = [];
    const interruptions: Interruption[] = [];
    broker.onEnvelope((_, envelope) => heard.push(Buffer.from(envelope).toString()));
    broker.onInterruption(interruption => interruptions.push(interruption));
    cleanup(() => broker.close());
    return { broker, heard, interruptions };
  }

  test('after its subscription was cut it hears again, and tells which channels may have missed something', async () => {
    const redis = await startRedis({ own: true });
    const { broker, heard, interruptions } = await listening(redis);
    const channels = Array.from({ length: 1500 }, (_, index) => `c${index}`);
    await Promise.all(channels.map(channel => broker.subscribe(channel)));
    await redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
    const { channels: told } = await eventually(() => interruptions[0], { describe: 'the break was told' });
    expect([...told].sort()).toEqual([...channels].sort());
    await broker.publish('c1499', Buffer.from('again'));
    await eventually(() => heard.includes('again'));
  });

  test('while Redis is away everything is refused at once and nothing is queued; about a second after it is back it works', async () => {
    const redis = await startRedis({ own: true });
    const { broker, heard, interruptions } = await listening(redis);
    await broker.subscribe('c');
    await redis.halt();
    await eventually(
      async () => (await broker.publish('c', Buffer.from('lost')).catch(error => error.code)) === 'UNAVAILABLE',
    );
    await expect(broker.subscribe('d')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await redis.start();
    await eventually(() => interruptions.length > 0, { withinMs: 3000, describe: 'the subscription is back' });
    await eventually(() => broker.publish('c', Buffer.from('kept')).then(() => true));
    await eventually(() => heard.length > 0);
    expect(heard).toEqual(['kept']);
  });

  test('a frozen Redis is refused after the command timeout', async () => {
    const redis = await startRedis({ own: true });
    const { broker } = await listening(redis, { commandTimeoutMs: 200 });
    await redis.pause();
    cleanup(() => redis.resume());
    await expect(broker.publish('c', Buffer.from('x'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('rebuilding a deaf subscription has it confirmed anew', async () => {
    const redis = await startRedis({ own: true });
    const { broker, heard, interruptions } = await listening(redis);
    await broker.subscribe('c');
    await broker.rebuild();
    await eventually(() => interruptions.length === 1);
    await broker.publish('c', Buffer.from('hi'));
    await eventually(() => heard.includes('hi'));
  });
});
