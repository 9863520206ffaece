/** The broker on Redis pub/sub. */
import { setTimeout as sleep } from 'node:timers/promises';
import { HubbubError } from '@hubbub/protocol';
import type { Redis } from 'ioredis';
import type { Broker, Interruption, PublishedOnce } from '../broker.js';
import { IDEMPOTENCY_WINDOW_MS } from '../history.js';
import { keepScriptsLoaded, publishKept, publishOnce, publishProbe, ReceivedEnvelopes } from './kept-envelopes.js';
import type { RedisShard, RedisTopology } from './topology.js';
import { describeRefusal, orOutcomeUnknown } from './unavailable.js';

/** Between two attempts to subscribe. */
const RETRY_MS = 50;
const SUBSCRIBE_ATTEMPTS = 3;

/** Until Redis answers, `publish` and `subscribe` reject with `UNAVAILABLE`. The topology is closed with the broker. */
export class RedisBroker implements Broker {
  readonly #redis: RedisTopology;
  #listener: (channel: string, envelope: Uint8Array, server: string) => void = () => {};
  #onInterruption: (interruption: Interruption) => void = () => {};
  /** Channels that are not subscribed, because their slot is moving. */
  readonly #moving = new Set<string>();
  readonly #received = new ReceivedEnvelopes();
  #closed = false;

  constructor(redis: RedisTopology) {
    this.#redis = redis;
    keepScriptsLoaded(redis);
    redis.onShard(shard => this.#listenTo(shard));
    redis.onMove(() => this.#follow());
  }

  async publish(channel: string, envelope: Uint8Array): Promise<void> {
    await this.#write(channel, () =>
      this.#redis.run(channel, server => this.#publishAt(server, channel, asBuffer(envelope))),
    );
  }

  async publishOnce(channel: string, envelope: Uint8Array, idempotencyKey: string): Promise<PublishedOnce> {
    const idempotency = { key: idempotencyKey, windowMs: IDEMPOTENCY_WINDOW_MS };
    const publish = () => publishOnce(this.#redis, channel, asBuffer(envelope), idempotency);
    return { repeated: await this.#write(channel, publish) };
  }

  async publishKept(channel: string, envelope: Uint8Array, idempotencyKey?: string): Promise<PublishedOnce> {
    const publish = () => publishKept(this.#redis, channel, asBuffer(envelope), idempotencyKey);
    return { repeated: await this.#write(channel, publish) };
  }

  async probe(channel: string, envelope: Uint8Array): Promise<void> {
    this.#refuseReplica(channel);
    try {
      await publishProbe(this.#redis, channel, asBuffer(envelope));
    } catch (cause) {
      throw new HubbubError('UNAVAILABLE', describeRefusal(cause), { cause });
    }
  }

  subscribe(channel: string): Promise<void> {
    if (this.#redis.isSharded) return this.#subscribeAtSlot(channel);
    return this.#redis.shardOf(channel).subscriber.subscribe(channel);
  }

  async unsubscribe(channel: string): Promise<void> {
    this.#received.forget(channel);
    if (this.#moving.delete(channel)) return;
    await this.#shardOf(channel)?.subscriber.unsubscribe(channel);
  }

  get servers(): readonly string[] {
    return this.#redis.shards.map(({ name }) => name);
  }

  serverOf(channel: string): string | undefined {
    return this.#shardOf(channel)?.name;
  }

  onEnvelope(listener: (channel: string, envelope: Uint8Array, server: string) => void): void {
    this.#listener = listener;
  }

  onInterruption(listener: (interruption: Interruption) => void): void {
    this.#onInterruption = listener;
  }

  isInterrupted(channel: string): boolean {
    return this.#moving.has(channel) || this.#shardOf(channel)?.subscriber.interrupted !== false;
  }

  async rebuild(server: string): Promise<void> {
    this.#redis.shards.find(({ name }) => name === server)?.subscriber.drop();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#redis.close();
  }

  #listenTo(shard: RedisShard): void {
    const { subscriber } = shard;
    subscriber.listen({
      onMessage: (channel, envelope) => {
        const isBroken = subscriber.interrupted || this.#moving.has(channel);
        if (this.#received.take(shard.name, channel, envelope, isBroken)) this.#listener(channel, envelope, shard.name);
      },
      onInterruption: interruption => {
        this.#onInterruption({ ...interruption, server: shard.name });
        const { breaks } = subscriber;
        void this.#deliverMissed(shard, interruption.channels, () => subscriber.breaks !== breaks);
      },
      onMoved: channels => void this.#move(channels, shard),
    });
  }

  /** Takes the channels of moved names to the shards that have them now. */
  #follow(): void {
    for (const shard of this.#redis.shards) {
      const gone = shard.subscriber.confirmed().filter(channel => this.#shardOf(channel) !== shard);
      if (gone.length === 0) continue;
      shard.subscriber.forget(gone);
      void this.#move(gone, shard);
    }
  }

  /** A break of these channels only: until they are confirmed at another shard. */
  async #move(channels: readonly string[], from: RedisShard): Promise<void> {
    const movedAtMs = Date.now();
    for (const channel of channels) this.#moving.add(channel);
    let left = channels;
    while (left.length > 0 && !this.#closed) {
      await this.#redis.refresh();
      const wanted = left.filter(channel => this.#moving.has(channel));
      const results = await Promise.allSettled(
        wanted.map(async channel => {
          await this.#redis.shardOf(channel).subscriber.subscribe(channel);
          // Removed while it was confirmed.
          if (!this.#moving.has(channel)) await this.#redis.shardOf(channel).subscriber.unsubscribe(channel);
        }),
      );
      left = wanted.filter((_, index) => results[index]?.status === 'rejected');
      if (left.length > 0) await sleep(RETRY_MS);
    }
    const moved = channels.filter(channel => this.#moving.delete(channel));
    if (moved.length === 0 || this.#closed) return;
    this.#onInterruption({ server: from.name, channels: moved, durationMs: Date.now() - movedAtMs });
    await this.#deliverMissed(from, moved);
  }

  #publishAt(server: Redis, channel: string, envelope: Buffer): Promise<unknown> {
    return this.#redis.isSharded ? server.spublish(channel, envelope) : server.publish(channel, envelope);
  }

  async #deliverMissed(
    shard: RedisShard,
    channels: readonly string[],
    isBroken: () => boolean = () => false,
  ): Promise<void> {
    const isCurrent = (): boolean => !isBroken() && !this.#closed;
    for (const { channel, envelope } of await this.#received.missed(this.#redis, shard.name, channels, isCurrent)) {
      const now = this.#shardOf(channel);
      if (now?.subscriber.isConfirmed(channel)) this.#listener(channel, envelope, now.name);
    }
  }

  async #subscribeAtSlot(channel: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#redis.shardOf(channel).subscriber.subscribe(channel);
      } catch (error) {
        if (attempt === SUBSCRIBE_ATTEMPTS || this.#closed) throw error;
        await this.#redis.refresh(); // The slot may have moved, to a server that is not connected yet.
        await sleep(RETRY_MS);
      }
    }
  }

  /** `undefined` while the place of the channel is unknown. */
  #shardOf(channel: string): RedisShard | undefined {
    try {
      return this.#redis.shardOf(channel);
    } catch {
      return undefined; // A Redis Cluster whose slots are not known yet.
    }
  }

  async #write<Result>(channel: string, command: () => Promise<Result>): Promise<Result> {
    if (this.#closed) throw new HubbubError('UNAVAILABLE', 'The broker is closed.');
    this.#refuseReplica(channel);
    return await orOutcomeUnknown(command);
  }

  #refuseReplica(channel: string): void {
    if (!this.#shardOf(channel)?.isReplica) return;
    throw new HubbubError('UNAVAILABLE', 'Redis is a read-only replica: subscribers of its primary would miss this.');
  }
}

/** The same bytes as ioredis wants them; no copy. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
