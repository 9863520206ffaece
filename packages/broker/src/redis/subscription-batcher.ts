/** Sends the subscriptions of one tick as few commands, and remembers which are confirmed. */
import { HubbubError } from '@hubbub/protocol';
import type { Redis } from 'ioredis';

/** Channels in one command: large enough to be rare, small enough not to hold up what else the connection carries. */
const CHANNELS_PER_COMMAND = 512;

interface Waiting {
  readonly channel: string;
  /** Shared by all who ask for the channel meanwhile. */
  readonly confirmation: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
}

export class SubscriptionBatcher {
  readonly #redis: Redis;
  readonly #confirmed = new Set<string>();
  /** Asked for, by channel: queued or sent. */
  readonly #pending = new Map<string, Waiting>();
  #queue: Waiting[] = [];

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  confirmed(): string[] {
    return [...this.#confirmed];
  }

  isConfirmed(channel: string): boolean {
    return this.#confirmed.has(channel);
  }

  /** Resolves when Redis has confirmed the channel, also where it was confirmed before. */
  add(channel: string): Promise<void> {
    const known = this.#pending.get(channel);
    if (known !== undefined) return known.confirmation;
    let settle!: Pick<Waiting, 'resolve' | 'reject'>;
    const confirmation = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject };
    });
    const waiting = { channel, confirmation, ...settle };
    this.#pending.set(channel, waiting);
    if (this.#queue.push(waiting) === 1) setImmediate(() => this.#flush());
    return confirmation;
  }

  async remove(channel: string): Promise<void> {
    this.#confirmed.delete(channel);
    // A connection that is gone has no subscriptions, and `renewAll` will not ask for this one.
    if (this.#isReady()) await this.#redis.unsubscribe(channel).catch(() => {});
  }

  /** Subscribes again to everything confirmed. @throws when a batch is not confirmed. */
  async renewAll(): Promise<void> {
    for (const batch of batches(this.confirmed())) {
      // Without what was removed since: its UNSUBSCRIBE has been sent already.
      const wanted = batch.filter(channel => this.#confirmed.has(channel));
      if (wanted.length > 0) await this.#redis.subscribe(...wanted);
    }
  }

  /**
   * A new connection first asks Redis whether it is loading. The client would send a subscription before that question,
   * which Redis then refuses to answer a subscriber: the connection would be given up.
   */
  #isReady(): boolean {
    return this.#redis.status === 'ready';
  }

  #flush(): void {
    const queue = this.#queue;
    this.#queue = [];
    for (const batch of batches(queue)) void this.#subscribe(batch);
  }

  async #subscribe(batch: readonly Waiting[]): Promise<void> {
    const channels = batch.map(({ channel }) => channel);
    try {
      if (!this.#isReady()) throw new Error(`the connection is not ready (${this.#redis.status})`);
      await this.#redis.subscribe(...channels);
    } catch (cause) {
      for (const channel of channels) this.#pending.delete(channel);
      this.#takeBack(channels);
      const error = new HubbubError('UNAVAILABLE', 'Redis did not confirm the subscription.', { cause });
      for (const { reject } of batch) reject(error);
      return;
    }
    for (const { channel, resolve } of batch) {
      this.#pending.delete(channel);
      this.#confirmed.add(channel);
      resolve();
    }
  }

  /** Redis may execute a command after its timeout. An UNSUBSCRIBE behind it leaves no channel that nobody here holds. */
  #takeBack(channels: readonly string[]): void {
    const unwanted = channels.filter(channel => !this.#confirmed.has(channel));
    if (unwanted.length > 0 && this.#isReady()) void this.#redis.unsubscribe(...unwanted).catch(() => {});
  }
}

function batches<T>(items: readonly T[]): T[][] {
  const result: T[][] = [];
  for (let at = 0; at < items.length; at += CHANNELS_PER_COMMAND)
    result.push(items.slice(at, at + CHANNELS_PER_COMMAND));
  return result;
}
