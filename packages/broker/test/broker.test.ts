/** Both brokers give the same guarantees; also faults of Redis that only one of them meets. */

import { eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import { startRedis, type TestRedis } from '../../../tests/support/redis.js';
import { startTcpProxy } from '../../../tests/support/tcp-proxy.js';
import type { Broker, Interruption } from '../src/broker.js';
import { Interest } from '../src/interest.js';
import { MemoryExchange } from '../src/memory/memory-broker.js';
import { RedisBroker } from '../src/redis/redis-broker.js';
import { brokerConformance } from './broker-conformance.js';

brokerConformance('memory', async () => {
  const exchange = new MemoryExchange();
  return async () => exchange.connect();
});

brokerConformance('redis', async () => {
  const redis = await startRedis();
  return () => openBroker(redis);
});

async function openBroker(redis: TestRedis, commandTimeoutMs = 5000): Promise<Broker> {
  const broker = new RedisBroker(redis.topology({ url: redis.url, commandTimeoutMs, waitForConnection: false }));
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

  test('after its subscription was cut it receives again, and reports which channels may have missed messages', async () => {
    const redis = await startRedis({ own: true });
    const { broker, heard, interruptions } = await listening(redis);
    const channels = Array.from({ length: 1500 }, (_, index) => `c${index}`);
    await Promise.all(channels.map(channel => broker.subscribe(channel)));
    await redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
    const { channels: notice } = await eventually(() => interruptions[0], { describe: 'the break was reported' });
    expect([...notice].sort()).toEqual([...channels].sort());
    await broker.publish('c1499', Buffer.from('again'));
    await eventually(() => heard.includes('again'));
  });

  test('while Redis is down every call is refused immediately and nothing is queued; about a second after the restart it works', async () => {
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
    await expect(broker.publish('c', Buffer.from('x'))).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
  });

  test('rebuilding a deaf subscription confirms it again', async () => {
    const redis = await startRedis({ own: true });
    const { broker, heard, interruptions } = await listening(redis);
    await broker.subscribe('c');
    await broker.rebuild(broker.servers[0] ?? '');
    await eventually(() => interruptions.length === 1);
    await broker.publish('c', Buffer.from('hi'));
    await eventually(() => heard.includes('hi'));
  });

  test('a join during a break is refused, or answered when the subscription is confirmed again', async () => {
    const redis = await startRedis({ own: true });
    const proxy = await startTcpProxy({ to: redis.port });
    const { broker, heard, interruptions } = await listening({ ...redis, url: `redis://127.0.0.1:${proxy.port}` });
    const interest = new Interest(broker, 60_000);
    await interest.acquire('c');
    proxy.sever();
    await eventually(() => broker.isInterrupted('c'), { describe: 'the break is noticed' });
    await expect(interest.acquire('c')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    proxy.restore();
    let joined = 0;
    await eventually(async () => {
      await interest.acquire('c');
      joined++;
      // Every message published after the answer to a join arrives.
      await redis.cli('PUBLISH', 'c', `after ${joined}`);
      return interruptions.length > 0;
    });
    await eventually(() => heard.includes(`after ${joined}`));
    expect(heard).toEqual(Array.from({ length: joined }, (_, index) => `after ${index + 1}`));
  });

  async function channelsOf(redis: TestRedis): Promise<string[]> {
    const listed = await redis.cli('PUBSUB', 'CHANNELS');
    return listed === '' ? [] : listed.split('\n').sort();
  }

  test('a channel that is removed while all are subscribed again stays removed', async () => {
    const redis = await startRedis({ own: true });
    const proxy = await startTcpProxy({ to: redis.port });
    const { broker, interruptions } = await listening({ ...redis, url: `redis://127.0.0.1:${proxy.port}` });
    const channels = Array.from({ length: 2000 }, (_, index) => `c${String(index).padStart(4, '0')}`);
    await Promise.all(channels.map(channel => broker.subscribe(channel)));
    // Slow enough that the removals occur between two commands of the renewal.
    proxy.behave({ delayMs: 20 });
    proxy.cut();
    await eventually(async () => (await channelsOf(redis)).includes('c0000'), { describe: 'the renewal has begun' });
    const removed = channels.slice(-100);
    await Promise.all(removed.map(channel => broker.unsubscribe(channel)));
    await eventually(() => interruptions.length > 0, { describe: 'the renewal is done' });
    await broker.subscribe('last');
    expect(await channelsOf(redis)).toEqual([...channels.slice(0, -100), 'last']);
  });

  test('a subscription that is executed after its timeout does not stay', async () => {
    const redis = await startRedis({ own: true });
    const { broker, heard } = await listening(redis, { commandTimeoutMs: 200 });
    await broker.subscribe('before');
    await redis.pause();
    cleanup(() => redis.resume());
    await expect(Promise.all([broker.subscribe('late'), broker.subscribe('wanted')])).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    await redis.resume();
    await eventually(() => broker.subscribe('wanted').then(() => true), { describe: 'Redis answers again' });
    expect(await channelsOf(redis)).toEqual(['before', 'wanted']);
    await broker.publish('wanted', Buffer.from('x'));
    await eventually(() => heard.includes('x'));
  });

  const envelopeOf = (name: string) => Buffer.from(`\u0001{"e":"j","t":1}\u0002${name}`);
  const namesOf = (heard: readonly string[]) => heard.map(text => text.slice(text.indexOf('\u0002') + 1));

  test('messages kept while the subscription was broken arrive once and in order, without those received before', async () => {
    const redis = await startRedis({ own: true });
    const proxy = await startTcpProxy({ to: redis.port });
    const { broker, heard, interruptions } = await listening({ ...redis, url: `redis://127.0.0.1:${proxy.port}` });
    const service = await openBroker(redis);
    cleanup(() => service.close());
    await Promise.all(['c', 'd'].map(channel => broker.subscribe(channel)));
    await service.publishKept('elsewhere', envelopeOf('before the probe'));
    await broker.probe('d', envelopeOf('probe'));
    await service.publishKept('c', envelopeOf('live'));
    await eventually(() => heard.length === 2);
    for (let round = 0; round < 3; round++) {
      const from = heard.length;
      proxy.sever();
      await eventually(() => broker.isInterrupted('c'));
      await service.publishKept('c', envelopeOf(`missed ${round}`));
      await service.publish('c', envelopeOf('lost'));
      await service.publishKept('elsewhere', envelopeOf('not ours'));
      await service.publishKept('d', envelopeOf(`also missed ${round}`));
      proxy.restore();
      await eventually(() => interruptions.length === round + 1);
      // The publisher may recover later than the subscriber.
      await eventually(() => service.publishKept('c', envelopeOf(`new ${round}`)).then(() => true));
      await eventually(() => heard.length === from + 3, { describe: 'all three are heard' });
      await eventually(() => broker.probe('d', envelopeOf('probe')).then(() => true));
      await eventually(() => namesOf(heard).at(-1) === 'probe');
      const names = namesOf(heard).slice(from);
      expect(names.filter(name => !name.startsWith('new'))).toEqual([
        `missed ${round}`,
        `also missed ${round}`,
        'probe',
      ]);
      expect(names.filter(name => name.startsWith('new'))).toEqual([`new ${round}`]);
    }
  });

  test('a full Redis fails the probe, and the error names the reason', async () => {
    const redis = await startRedis({ own: true });
    const { broker } = await listening(redis);
    await broker.subscribe('c');
    await broker.probe('c', envelopeOf('fine'));
    await redis.cli('CONFIG', 'SET', 'maxmemory', '1');
    const oom = { code: 'UNAVAILABLE', message: expect.stringContaining('full (OOM)') };
    await expect(broker.probe('c', envelopeOf('x'))).rejects.toMatchObject(oom);
    await expect(broker.publishOnce('c', envelopeOf('x'), 'k')).rejects.toMatchObject(oom);
    await redis.cli('CONFIG', 'SET', 'maxmemory', '0');
    await broker.probe('c', envelopeOf('fine again'));
  });

  test('a primary that becomes a replica is left: publishes are refused until a primary is found', async () => {
    const [old, promoted] = [await startRedis({ own: true }), await startRedis({ own: true })];
    const proxy = await startTcpProxy({ to: old.port });
    const { broker, heard, interruptions } = await listening({ ...old, url: `redis://127.0.0.1:${proxy.port}` });
    await broker.subscribe('c');
    await broker.probe('c', envelopeOf('fine'));
    await old.cli('REPLICAOF', '127.0.0.1', String(promoted.port));
    await eventually(() => broker.isInterrupted('c'), {
      describe: 'a probe or the role shows that the primary is gone',
    });
    await expect(broker.publish('c', envelopeOf('lost'))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('replica'),
    });
    expect(interruptions).toEqual([]);
    // The address leads to the new primary now; existing connections would stay with the old one.
    proxy.retarget(promoted.port);
    await eventually(() => interruptions.length > 0, { describe: 'the subscription is at the primary' });
    await eventually(() => broker.publish('c', envelopeOf('after')).then(() => true));
    await eventually(() => namesOf(heard).includes('after'));
    await broker.probe('c', envelopeOf('fine again'));
    expect(await promoted.cli('PUBSUB', 'CHANNELS')).toBe('c');
  });
});
