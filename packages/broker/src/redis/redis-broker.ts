/** The broker on Redis pub/sub. */
import { setTimeout as sleep } from 'node:timers/promises';
import { HubbubError } from '@hubbub/protocol';
import type { Broker, Interruption, PublishedOnce } from '../broker.js';
import { IDEMPOTENCY_WINDOW_MS } from '../history.js';
import { channelKey } from './channel-key.js';
import { keepScriptsLoaded, publishKept, publishProbe, ReceivedEnvelopes } from './kept-envelopes.js';
import { RedisScript } from './redis-script.js';
import type { RedisTopology, SubscriberLink } from './topology.js';
import { describeRefusal, orOutcomeUnknown } from './unavailable.js';

const publishOnceScript = new RedisScript(new URL('../../lua/publish-once.lua', import.meta.url));

/** Between two attempts to read missed envelopes. */
const RETRY_MS = 250;

/** Until Redis answers, `publish` and `subscribe` reject with `UNAVAILABLE`. The topology is closed with the broker. */
export class RedisBroker implements Broker {
  readonly #redis: RedisTopology;
  #listener: (channel: string, envelope: Uint8Array) => void = () => {};
  #onInterruption: (interruption: Interruption) => void = () => {};
  #closed = false;

  constructor(redis: RedisTopology) {
    this.#redis = redis;
    publishOnceScript.keepLoaded(redis);
    keepScriptsLoaded(redis);
    for (const { subscriber } of redis.shards) {
      const received = new ReceivedEnvelopes();
      subscriber.listen({
        onMessage: (channel, envelope) => {
          if (received.take(channel, envelope)) this.#listener(channel, envelope);
        },
        onInterruption: interruption => {
          this.#onInterruption(interruption);
          void this.#deliverMissed(subscriber, received, interruption.channels);
        },
      });
    }
  }

  async publish(channel: string, envelope: Uint8Array): Promise<void> {
    await this.#write(channel, () => this.#redis.run(channel, redis => redis.publish(channel, asBuffer(envelope))));
  }

  async publishOnce(channel: string, envelope: Uint8Array, idempotencyKey: string): Promise<PublishedOnce> {
    const keys = [channelKey(channel, `id:${idempotencyKey}`)];
    const args = [channel, asBuffer(envelope), IDEMPOTENCY_WINDOW_MS];
    return { repeated: (await this.#write(channel, () => publishOnceScript.run(this.#redis, keys, args))) === 1 };
  }

  async publishKept(channel: string, envelope: Uint8Array, idempotencyKey?: string): Promise<PublishedOnce> {
    const publish = () => publishKept(this.#redis, channel, asBuffer(envelope), idempotencyKey);
    return { repeated: await this.#write(channel, publish) };
  }

  async probe(channel: string, envelope: Uint8Array): Promise<void> {
    try {
      await publishProbe(this.#redis, channel, asBuffer(envelope));
    } catch (cause) {
      throw new HubbubError('UNAVAILABLE', describeRefusal(cause), { cause });
    }
  }

  subscribe(channel: string): Promise<void> {
    return this.#redis.shardOf(channel).subscriber.subscribe(channel);
  }

  unsubscribe(channel: string): Promise<void> {
    return this.#redis.shardOf(channel).subscriber.unsubscribe(channel);
  }

  onEnvelope(listener: (channel: string, envelope: Uint8Array) => void): void {
    this.#listener = listener;
  }

  onInterruption(listener: (interruption: Interruption) => void): void {
    this.#onInterruption = listener;
  }

  get interrupted(): boolean {
    return this.#redis.shards.some(({ subscriber }) => subscriber.interrupted);
  }

  async rebuild(): Promise<void> {
    for (const { subscriber } of this.#redis.shards) subscriber.drop();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#redis.close();
  }

  /** Until it succeeds, or the subscription breaks again. */
  async #deliverMissed(
    subscriber: SubscriberLink,
    received: ReceivedEnvelopes,
    channels: readonly string[],
  ): Promise<void> {
    const { breaks } = subscriber;
    const isCurrent = (): boolean => breaks === subscriber.breaks && !this.#closed;
    while (isCurrent()) {
      try {
        for (const { channel, envelope } of await received.missed(this.#redis, channels, isCurrent)) {
          if (subscriber.isConfirmed(channel)) this.#listener(channel, envelope);
        }
        return;
      } catch {
        await sleep(RETRY_MS); // The other connection is not back yet.
      }
    }
  }

  async #write<Result>(channel: string, command: () => Promise<Result>): Promise<Result> {
    if (this.#closed) throw new HubbubError('UNAVAILABLE', 'The broker is closed.');
    if (this.#redis.shardOf(channel).isReplica) {
      throw new HubbubError('UNAVAILABLE', 'Redis is a read-only replica: subscribers of its primary would miss this.');
    }
    return await orOutcomeUnknown(command);
  }
}

/** The same bytes as ioredis wants them; no copy. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
