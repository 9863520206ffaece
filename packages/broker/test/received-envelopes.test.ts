/** Which kept envelopes count as missed, while reads and arrivals overlap. */
import { encodeEnvelope } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { startRedis } from '../../../tests/support/redis.js';
import { publishKept, publishProbe, ReceivedEnvelopes } from '../src/redis/kept-envelopes.js';
import type { RedisTopology } from '../src/redis/topology.js';

const envelopeOf = (text: string) =>
  Buffer.from(encodeEnvelope({ encoding: 'json', publishedAtMs: 1 }, Buffer.from(text)));
const textOf = (envelope: Uint8Array) => Buffer.from(envelope).toString().split('\u0002')[1];

/** Two shards on one real Redis. Each story decides which envelopes are received. */
async function open() {
  const redis = (await startRedis()).topology();
  await redis.connected(5000);
  const received = new ReceivedEnvelopes();
  const arrivals: { channel: string; envelope: Buffer }[] = [];
  const channels = ['room', 'user', 'probes'];
  const { subscriber } = redis.shards[0] as RedisTopology['shards'][number];
  subscriber.listen({
    onMessage: (channel, envelope) => arrivals.push({ channel, envelope: Buffer.from(envelope) }),
    onInterruption() {},
    onMoved() {},
  });
  for (const channel of channels) {
    const isSubscribed = () =>
      subscriber.subscribe(channel).then(
        () => true,
        () => false,
      );
    await eventually(isSubscribed, { describe: `${channel} is subscribed` });
  }

  /** Publishes, and returns the envelope as a subscriber receives it. */
  async function arrival(channel: string, publish: () => Promise<unknown>): Promise<Buffer> {
    const before = arrivals.length;
    await publish();
    await eventually(() => arrivals.length === before + 1, { describe: 'the envelope arrives' });
    expect(arrivals[before]?.channel).toBe(channel);
    return arrivals[before]?.envelope as Buffer;
  }
  const kept = (channel: string, text: string) => arrival(channel, () => publishKept(redis, channel, envelopeOf(text)));
  const probe = () => arrival('probes', () => publishProbe(redis, 'probes', envelopeOf('probe')));
  for (const shard of ['a', 'b']) received.take(shard, 'probes', await probe(), false);

  let hold = Promise.resolve();
  const slowly = new Proxy(redis, {
    get(target, name) {
      if (name !== 'run') return Reflect.get(target, name);
      return async (...args: Parameters<RedisTopology['run']>) => {
        const result = await target.run(...args);
        await hold;
        return result;
      };
    },
  });
  /** Until the returned function is called, what Redis answers does not arrive. */
  function holdAnswers(): () => void {
    let release!: () => void;
    hold = new Promise(resolve => {
      release = resolve;
    });
    return release;
  }
  const missed = async (shard: string, channel: string, isCurrent = () => true) =>
    (await received.missed(slowly, shard, [channel], isCurrent)).map(({ envelope }) => textOf(envelope));
  return { received, kept, probe, missed, holdAnswers };
}

test('returns what a channel missed, once and in order', async () => {
  const { received, kept, missed } = await open();
  received.take('a', 'room', await kept('room', 'one'), false);
  await kept('room', 'two');
  await kept('room', 'three');
  expect(await missed('a', 'room')).toEqual(['two', 'three']);
  expect(await missed('a', 'room')).toEqual([]);
});

test('an envelope that arrived while another shard was read is not missed later', async () => {
  const { received, kept, missed, holdAnswers } = await open();
  const release = holdAnswers();
  const reading = missed('a', 'room');
  expect(received.take('b', 'user', await kept('user', 'one'), false)).toBe(true);
  release();
  await reading;
  expect(await missed('b', 'user')).toEqual([]);
});

test('an envelope that arrived while its own channel was read is not missed later', async () => {
  const { received, kept, missed, holdAnswers } = await open();
  const release = holdAnswers();
  const reading = missed('a', 'room');
  expect(received.take('a', 'room', await kept('room', 'one'), false)).toBe(true);
  release();
  expect(await reading).toEqual([]);
  expect(await missed('a', 'room')).toEqual([]);
});

test('an envelope that arrives before its channel is read does not hide the missed ones before it', async () => {
  const { received, kept, missed } = await open();
  received.take('a', 'room', await kept('room', 'one'), false);
  await kept('room', 'two');
  expect(received.take('a', 'room', await kept('room', 'three'), true)).toBe(true);
  expect(await missed('a', 'room')).toEqual(['two']);
});

test('a probe that arrives before the missed ones are read does not hide them', async () => {
  const { received, kept, probe, missed } = await open();
  await kept('room', 'one');
  received.take('a', 'probes', await probe(), true);
  expect(await missed('a', 'room')).toEqual(['one']);
});

test('after a break during the read, the next read returns what is still missing', async () => {
  const { received, kept, missed } = await open();
  await kept('room', 'one');
  expect(await missed('a', 'room', () => false)).toEqual([]);
  received.take('a', 'room', await kept('room', 'two'), false);
  expect(await missed('a', 'room')).toEqual(['one']);
});

test('of an envelope that was returned as missed, a late arrival is refused', async () => {
  const { received, kept, missed } = await open();
  const late = await kept('room', 'one');
  expect(await missed('a', 'room')).toEqual(['one']);
  expect(received.take('a', 'room', late, false)).toBe(false);
});
