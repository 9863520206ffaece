/** Publishes to Redis channels: connects by itself, waits a bounded time, queues a bounded number. */
import { HubbubError } from '@hubbub/protocol';
import { Redis } from 'ioredis';

export interface RedisPublisherOptions {
  readonly timeoutMs: number;
  readonly maxPending: number;
  readonly onError: (error: Error) => void;
}

const RECONNECT_MAX_DELAY_MS = 1000;

export class RedisPublisher {
  readonly #redis: Redis;
  readonly #options: RedisPublisherOptions;
  #pending = 0;

  constructor(url: string, options: RedisPublisherOptions) {
    this.#options = options;
    this.#redis = new Redis(url, {
      // Commands wait for the connection, but none longer than the timeout and no more than maxPending of them.
      commandTimeout: options.timeoutMs,
      maxRetriesPerRequest: null,
      // A publish whose answer was lost may have happened: it is told, not sent again.
      autoResendUnfulfilledCommands: false,
      enableAutoPipelining: true,
      retryStrategy: attempt => Math.min(RECONNECT_MAX_DELAY_MS, 50 * 2 ** attempt) * (0.5 + Math.random() / 2),
    });
    this.#redis.on('error', options.onError);
  }

  /** @throws {HubbubError} `UNAVAILABLE`: not sent, or not known whether it was. */
  async publish(channel: string, envelope: Uint8Array): Promise<void> {
    if (this.#pending >= this.#options.maxPending) {
      throw new HubbubError('UNAVAILABLE', `Redis is behind: ${this.#pending} messages wait for it.`);
    }
    this.#pending++;
    try {
      await this.#redis.publish(channel, Buffer.from(envelope.buffer, envelope.byteOffset, envelope.byteLength));
    } catch (cause) {
      throw new HubbubError('UNAVAILABLE', `Redis did not take the message within ${this.#options.timeoutMs} ms.`, {
        cause,
      });
    } finally {
      this.#pending--;
    }
  }

  close(): void {
    this.#redis.disconnect();
  }
}
