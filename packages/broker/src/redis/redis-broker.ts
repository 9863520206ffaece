/** The bus on Redis pub/sub: one connection that publishes, one that subscribes. */
import { HubbubError } from '@hubbub/protocol';
import type { Redis } from 'ioredis';
import type { Broker, Interruption, PublishedOnce } from '../broker.js';
import { IDEMPOTENCY_WINDOW_MS } from '../history.js';
import { openRedisConnection } from './connection.js';
import { RedisScript } from './redis-script.js';
import { SubscriptionBatcher } from './subscription-batcher.js';

const publishOnceScript = new RedisScript(new URL('../../lua/publish-once.lua', import.meta.url));

export interface RedisBrokerOptions {
  /** A Redis that does not answer for so long counts as away. Default 5000. */
  readonly commandTimeoutMs?: number;
  /** As of a connection: publishes wait for it. Default false. */
  readonly waitForConnection?: boolean;
  /** Called on each failure of a connection, for logs and metrics. */
  readonly onError?: (error: Error) => void;
}

/**
 * Connects in the background: until Redis answers, `publish` and `subscribe` reject with `UNAVAILABLE`.
 *
 * @example
 * const broker = createRedisBroker('redis://127.0.0.1:6379', { onError: error => log.warn({ err: error }) });
 */
export function createRedisBroker(url: string, options: RedisBrokerOptions = {}): Broker {
  const commandTimeoutMs = options.commandTimeoutMs ?? 5000;
  const onError = options.onError ?? (() => {});
  const { waitForConnection = false } = options;
  const publisher = openRedisConnection(url, { commandTimeoutMs, autoPipelining: true, waitForConnection, onError });
  const subscriber = openRedisConnection(url, { commandTimeoutMs, onError });
  return new RedisBroker(publisher, subscriber);
}

class RedisBroker implements Broker {
  readonly #publisher: Redis;
  readonly #subscriber: Redis;
  readonly #subscriptions: SubscriptionBatcher;
  #onInterruption: (interruption: Interruption) => void = () => {};
  /** When the subscriber's connection broke; undefined while it stands or before it first stood. */
  #brokenAtMs: number | undefined;
  #closed = false;

  constructor(publisher: Redis, subscriber: Redis) {
    this.#publisher = publisher;
    this.#subscriber = subscriber;
    this.#subscriptions = new SubscriptionBatcher(subscriber);
    publishOnceScript.keepLoaded(publisher);
    subscriber.on('close', () => {
      this.#brokenAtMs ??= Date.now();
    });
    subscriber.on('ready', () => void this.#restore());
  }

  async publish(channel: string, envelope: Uint8Array): Promise<void> {
    try {
      await this.#publisher.publish(channel, asBuffer(envelope));
    } catch (cause) {
      throw new HubbubError('UNAVAILABLE', 'Redis did not take the message.', { cause });
    }
  }

  async publishOnce(channel: string, envelope: Uint8Array, idempotencyKey: string): Promise<PublishedOnce> {
    // Begins as the channel, whose prefix and hash tag it so has.
    const keys = [`${channel}:id:${idempotencyKey}`];
    const args = [channel, asBuffer(envelope), IDEMPOTENCY_WINDOW_MS];
    try {
      return { repeated: (await publishOnceScript.run(this.#publisher, keys, args)) === 1 };
    } catch (cause) {
      throw new HubbubError('UNAVAILABLE', 'Redis did not take the message.', { cause });
    }
  }

  subscribe(channel: string): Promise<void> {
    return this.#subscriptions.add(channel);
  }

  unsubscribe(channel: string): Promise<void> {
    return this.#subscriptions.remove(channel);
  }

  onEnvelope(listener: (channel: string, envelope: Uint8Array) => void): void {
    this.#subscriber.on('messageBuffer', (channel: Buffer, envelope: Buffer) => listener(channel.toString(), envelope));
  }

  onInterruption(listener: (interruption: Interruption) => void): void {
    this.#onInterruption = listener;
  }

  get interrupted(): boolean {
    return this.#brokenAtMs !== undefined;
  }

  async rebuild(): Promise<void> {
    this.#subscriber.disconnect(true);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#publisher.disconnect();
    this.#subscriber.disconnect();
  }

  /** After a break: subscribes again, then tells. A break meanwhile makes `ready` fire anew, and this run again. */
  async #restore(): Promise<void> {
    const brokenAtMs = this.#brokenAtMs;
    const channels = this.#subscriptions.confirmed();
    try {
      await this.#subscriptions.renewAll();
    } catch {
      // Broken again, or a Redis that takes connections but no commands: a new connection tries again.
      if (!this.#closed && this.#subscriber.status === 'ready') this.#subscriber.disconnect(true);
      return;
    }
    this.#brokenAtMs = undefined;
    if (brokenAtMs !== undefined) this.#onInterruption({ channels, durationMs: Date.now() - brokenAtMs });
  }
}

/** The same bytes as ioredis wants them; no copy. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
