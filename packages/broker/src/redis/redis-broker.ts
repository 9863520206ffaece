/** The broker on Redis pub/sub: one connection that publishes, one that subscribes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_REDIS_PREFIX, HubbubError } from '@hubbub/protocol';
import type { Redis } from 'ioredis';
import type { Broker, Interruption, PublishedOnce } from '../broker.js';
import { IDEMPOTENCY_WINDOW_MS } from '../history.js';
import { openRedisConnection } from './connection.js';
import { ConnectionGroup } from './connection-group.js';
import { KeptEnvelopes } from './kept-envelopes.js';
import { RedisScript } from './redis-script.js';
import { SubscriptionBatcher } from './subscription-batcher.js';
import { describeRefusal, orOutcomeUnknown } from './unavailable.js';

const publishOnceScript = new RedisScript(new URL('../../lua/publish-once.lua', import.meta.url));

export interface RedisBrokerOptions {
  /** A Redis that does not answer for this time counts as away. Default 5000. */
  readonly commandTimeoutMs?: number;
  /** HUBBUB_REDIS_PREFIX of the cluster. Default `hubbub`. */
  readonly prefix?: string;
  /** As of the connections. */
  readonly group?: ConnectionGroup;
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
  const { waitForConnection = false, prefix = DEFAULT_REDIS_PREFIX, group = new ConnectionGroup() } = options;
  const common = { commandTimeoutMs, onError, group };
  const publisher = openRedisConnection(url, { ...common, autoPipelining: true, waitForConnection });
  const subscriber = openRedisConnection(url, common);
  return new RedisBroker({ publisher, subscriber, prefix, group });
}

interface RedisBrokerParts {
  readonly publisher: Redis;
  readonly subscriber: Redis;
  readonly prefix: string;
  readonly group: ConnectionGroup;
}

/** A service that only publishes never writes: it asks for the role of its server. */
const ROLE_CHECK_MS = 1000;
/** Between two checks of a replica, and between two attempts to read missed envelopes. */
const RETRY_MS = 250;

class RedisBroker implements Broker {
  readonly #publisher: Redis;
  readonly #subscriber: Redis;
  readonly #subscriptions: SubscriptionBatcher;
  readonly #kept: KeptEnvelopes;
  readonly #group: ConnectionGroup;
  readonly #roleCheck: NodeJS.Timeout;
  /** Envelopes published to a replica reach nobody. */
  #onReplica = false;
  #breaks = 0;
  #listener: (channel: string, envelope: Uint8Array) => void = () => {};
  #onInterruption: (interruption: Interruption) => void = () => {};
  /** When the subscriber's connection broke; undefined while it stands or before it first stood. */
  #brokenAtMs: number | undefined;
  #closed = false;

  constructor({ publisher, subscriber, prefix, group }: RedisBrokerParts) {
    this.#publisher = publisher;
    this.#subscriber = subscriber;
    this.#group = group;
    this.#kept = new KeptEnvelopes(publisher, prefix);
    this.#subscriptions = new SubscriptionBatcher(subscriber);
    publishOnceScript.keepLoaded(publisher);
    group.onReadOnly(() => {
      this.#onReplica = true;
    });
    this.#roleCheck = setInterval(() => void this.#checkRole(), ROLE_CHECK_MS).unref();
    subscriber.on('messageBuffer', (channel: Buffer, envelope: Buffer) => {
      if (this.#kept.heard(envelope)) this.#listener(channel.toString(), envelope);
    });
    subscriber.on('close', () => {
      this.#breaks++;
      this.#brokenAtMs ??= Date.now();
    });
    subscriber.on('ready', () => void this.#restore());
  }

  async publish(channel: string, envelope: Uint8Array): Promise<void> {
    await this.#write(() => this.#publisher.publish(channel, asBuffer(envelope)));
  }

  async publishOnce(channel: string, envelope: Uint8Array, idempotencyKey: string): Promise<PublishedOnce> {
    const keys = [idempotencyKeyOf(channel, idempotencyKey)];
    const args = [channel, asBuffer(envelope), IDEMPOTENCY_WINDOW_MS];
    return { repeated: (await this.#write(() => publishOnceScript.run(this.#publisher, keys, args))) === 1 };
  }

  async publishKept(channel: string, envelope: Uint8Array, idempotencyKey?: string): Promise<PublishedOnce> {
    const idempotency =
      idempotencyKey === undefined
        ? undefined
        : { key: idempotencyKeyOf(channel, idempotencyKey), windowMs: IDEMPOTENCY_WINDOW_MS };
    return { repeated: await this.#write(() => this.#kept.publish(channel, asBuffer(envelope), idempotency)) };
  }

  async probe(channel: string, envelope: Uint8Array): Promise<void> {
    try {
      await this.#kept.probe(channel, asBuffer(envelope));
    } catch (cause) {
      throw new HubbubError('UNAVAILABLE', describeRefusal(cause), { cause });
    }
  }

  subscribe(channel: string): Promise<void> {
    return this.#subscriptions.add(channel);
  }

  unsubscribe(channel: string): Promise<void> {
    return this.#subscriptions.remove(channel);
  }

  onEnvelope(listener: (channel: string, envelope: Uint8Array) => void): void {
    this.#listener = listener;
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
    clearInterval(this.#roleCheck);
    this.#publisher.disconnect();
    this.#subscriber.disconnect();
  }

  /** After a break: subscribes again, then reports. A break meanwhile fires `ready` again, and this runs again. */
  async #restore(): Promise<void> {
    const brokenAtMs = this.#brokenAtMs;
    const channels = this.#subscriptions.confirmed();
    try {
      if (await isReplica(this.#subscriber)) {
        this.#onReplica = true;
        await sleep(RETRY_MS);
        throw new Error('the server is a replica');
      }
      this.#onReplica = false;
      await this.#subscriptions.renewAll();
    } catch {
      // Broken again, or a Redis that takes connections but no commands: a new connection tries again.
      if (!this.#closed && this.#subscriber.status === 'ready') this.#subscriber.disconnect(true);
      return;
    }
    this.#brokenAtMs = undefined;
    if (brokenAtMs === undefined) return;
    this.#onInterruption({ channels, durationMs: Date.now() - brokenAtMs });
    await this.#deliverMissed(this.#breaks);
  }

  /** Until it succeeds, or the subscription breaks again. */
  async #deliverMissed(breaks: number): Promise<void> {
    const isCurrent = (): boolean => breaks === this.#breaks && !this.#closed;
    while (isCurrent()) {
      try {
        for (const { channel, envelope } of await this.#kept.missed(isCurrent)) {
          if (this.#subscriptions.isConfirmed(channel)) this.#listener(channel, envelope);
        }
        return;
      } catch {
        await sleep(RETRY_MS); // The other connection is not back yet.
      }
    }
  }

  async #checkRole(): Promise<void> {
    if (this.#publisher.status === 'ready' && (await isReplica(this.#publisher))) this.#group.foundReadOnly();
  }

  async #write<Result>(command: () => Promise<Result>): Promise<Result> {
    if (this.#onReplica) throw new HubbubError('UNAVAILABLE', 'Redis is a read-only replica: nobody would hear it.');
    return await orOutcomeUnknown(command);
  }
}

/** A server that does not report its role counts as a primary: a replica's refusals reveal it. */
async function isReplica(redis: Redis): Promise<boolean> {
  const role = await redis.role().catch(() => undefined);
  return Array.isArray(role) && role[0] === 'slave';
}

/** Begins with the channel, and so has its prefix and its hash tag. */
function idempotencyKeyOf(channel: string, idempotencyKey: string): string {
  return `${channel}:id:${idempotencyKey}`;
}

/** The same bytes as ioredis wants them; no copy. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
