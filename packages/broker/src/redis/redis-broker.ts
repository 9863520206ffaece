/** The broker on Redis pub/sub. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_REDIS_PREFIX, HubbubError } from '@hubbub/protocol';
import type { Broker, Interruption, PublishedOnce } from '../broker.js';
import { IDEMPOTENCY_WINDOW_MS } from '../history.js';
import { KeptEnvelopes } from './kept-envelopes.js';
import { RedisScript } from './redis-script.js';
import type { RedisTopology, SubscriberLink } from './topology.js';
import { describeRefusal, orOutcomeUnknown } from './unavailable.js';

const publishOnceScript = new RedisScript(new URL('../../lua/publish-once.lua', import.meta.url));

export interface RedisBrokerOptions {
  /** Closed with the broker. */
  readonly redis: RedisTopology;
  /** HUBBUB_REDIS_PREFIX of the cluster. Default `hubbub`. */
  readonly prefix?: string;
}

/** Between two attempts to read missed envelopes. */
const RETRY_MS = 250;

/** Until Redis answers, `publish` and `subscribe` reject with `UNAVAILABLE`. */
export class RedisBroker implements Broker {
  readonly #redis: RedisTopology;
  readonly #kept: KeptEnvelopes;
  #listener: (channel: string, envelope: Uint8Array) => void = () => {};
  #onInterruption: (interruption: Interruption) => void = () => {};
  #closed = false;

  constructor({ redis, prefix = DEFAULT_REDIS_PREFIX }: RedisBrokerOptions) {
    this.#redis = redis;
    this.#kept = new KeptEnvelopes(redis, prefix);
    publishOnceScript.keepLoaded(redis);
    for (const { subscriber } of redis.shards) {
      subscriber.listen({
        onMessage: (channel, envelope) => {
          if (this.#kept.heard(envelope)) this.#listener(channel, envelope);
        },
        onInterruption: interruption => {
          this.#onInterruption(interruption);
          void this.#deliverMissed(subscriber);
        },
      });
    }
  }

  async publish(channel: string, envelope: Uint8Array): Promise<void> {
    await this.#write(channel, () => this.#redis.run(channel, redis => redis.publish(channel, asBuffer(envelope))));
  }

  async publishOnce(channel: string, envelope: Uint8Array, idempotencyKey: string): Promise<PublishedOnce> {
    const keys = [idempotencyKeyOf(channel, idempotencyKey)];
    const args = [channel, asBuffer(envelope), IDEMPOTENCY_WINDOW_MS];
    return { repeated: (await this.#write(channel, () => publishOnceScript.run(this.#redis, keys, args))) === 1 };
  }

  async publishKept(channel: string, envelope: Uint8Array, idempotencyKey?: string): Promise<PublishedOnce> {
    const idempotency =
      idempotencyKey === undefined
        ? undefined
        : { key: idempotencyKeyOf(channel, idempotencyKey), windowMs: IDEMPOTENCY_WINDOW_MS };
    return { repeated: await this.#write(channel, () => this.#kept.publish(channel, asBuffer(envelope), idempotency)) };
  }

  async probe(channel: string, envelope: Uint8Array): Promise<void> {
    try {
      await this.#kept.probe(channel, asBuffer(envelope));
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
  async #deliverMissed(subscriber: SubscriberLink): Promise<void> {
    const { breaks } = subscriber;
    const isCurrent = (): boolean => breaks === subscriber.breaks && !this.#closed;
    while (isCurrent()) {
      try {
        for (const { channel, envelope } of await this.#kept.missed(isCurrent)) {
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

/** Begins with the channel, and so has its prefix and its hash tag. */
function idempotencyKeyOf(channel: string, idempotencyKey: string): string {
  return `${channel}:id:${idempotencyKey}`;
}

/** The same bytes as ioredis wants them; no copy. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
