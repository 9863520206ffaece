/** Sends the subscriptions of one tick as few commands, and remembers which are confirmed. */
import { HubbubError } from '@hubbub/protocol';
import type { Redis } from 'ioredis';

/** Channels in one command: large enough to be rare, small enough not to hold up what else the connection carries. */
const CHANNELS_PER_COMMAND = 512;

interface Waiting {
  readonly channel: string;
  resolve(): void;
  reject(error: Error): void;
}

export class SubscriptionBatcher {
  readonly #redis: Redis;
  readonly #confirmed = new Set<string>();
  #waiting: Waiting[] = [];

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  confirmed(): string[] {
    return [...this.#confirmed];
  }

  /** Resolves when Redis has confirmed the channel. */
  add(channel: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ channel, resolve, reject }) === 1) setImmediate(() => this.#flush());
    });
  }

  async remove(channel: string): Promise<void> {
    this.#confirmed.delete(channel);
    // A connection that is gone has no subscriptions, and `renewAll` will not ask for this one.
    if (this.#isReady()) await this.#redis.unsubscribe(channel).catch(() => {});
  }

  /** Subscribes again to everything confirmed. @throws when a batch is not confirmed. */
  async renewAll(): Promise<void> {
    for (const batch of batches(this.confirmed())) await this.#redis.subscribe(...batch);
  }

  /**
   * A new connection first asks Redis whether it is loading. The client would send a subscription before that question,
   * which Redis then refuses to answer a subscriber: the connection would be given up.
   */
  #isReady(): boolean {
    return this.#redis.status === 'ready';
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const batch of batches(waiting)) void this.#subscribe(batch);
  }

  async #subscribe(batch: readonly Waiting[]): Promise<void> {
    try {
      if (!this.#isReady()) throw new Error(`the connection is not ready (${this.#redis.status})`);
      await this.#redis.subscribe(...batch.map(({ channel }) => channel));
    } catch (cause) {
      const error = new HubbubError('UNAVAILABLE', 'Redis did not confirm the subscription.', { cause });
      for (const { reject } of batch) reject(error);
      return;
    }
    for (const { channel, resolve } of batch) {
      this.#confirmed.add(channel);
      resolve();
    }
  }
}

function batches<T>(items: readonly T[]): T[][] {
  const result: T[][] = [];
  for (let at = 0; at < items.length; at += CHANNELS_PER_COMMAND)
    result.push(items.slice(at, at + CHANNELS_PER_COMMAND));
  return result;
}
