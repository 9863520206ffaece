/** The cluster as a service sees it. */
import { Channels, DEFAULT_REDIS_PREFIX, HubbubError, isRoomName, USER_ID_MAX_BYTES } from '@hubbub/protocol';
import { encodePublication, type Publication } from './publication.js';
import { RedisPublisher } from './redis/redis-publisher.js';

export interface HubbubOptions {
  /** Such as `redis://127.0.0.1:6379`; the Redis of the cluster. */
  readonly redisUrl: string;
  /** HUBBUB_REDIS_PREFIX of the cluster. Default `hubbub`. */
  readonly redisPrefix?: string;
  /** How long a message may wait for Redis before it is refused. Default 5,000. */
  readonly timeoutMs?: number;
  /** Messages that may wait for Redis at once. Default 10,000. */
  readonly maxPending?: number;
  /** Size of a message's frame. Default 1,048,576: clients hold what waits for them in memory. */
  readonly maxMessageBytes?: number;
  /** Told of each failed connection; it is retried until `close`. Default: ignored, publishes reject meanwhile. */
  readonly onError?: (error: Error) => void;
}

/** Every method resolves when Redis has taken the message. */
export interface Hubbub {
  /**
   * To every session in the room.
   * @throws {HubbubError} `INVALID_ROOM`, `INVALID_FORMAT`, `INVALID_PAYLOAD`, `TOO_LARGE`, or `UNAVAILABLE` (retryable:
   * then it is not known whether it was sent).
   * @example await hubbub.publishToRoom('general', { type: 'build.finished', payload: { ok: true } });
   */
  publishToRoom(room: string, message: Publication): Promise<void>;
  /** To every session of the user, on whichever edge. Throws as `publishToRoom` does. */
  publishToUser(userId: string, message: Publication): Promise<void>;
  /** To every session of the cluster. Throws as `publishToRoom` does. */
  publishToAll(message: Publication): Promise<void>;
  close(): void;
}

/**
 * Returns at once and connects in the background.
 *
 * @example
 * const hubbub = connectHubbub({ redisUrl: 'redis://127.0.0.1:6379' });
 * await hubbub.publishToUser('u1', { type: 'notification.new', payload: { text: 'Hello' } });
 */
export function connectHubbub(options: HubbubOptions): Hubbub {
  const channels = new Channels(options.redisPrefix ?? DEFAULT_REDIS_PREFIX);
  const maxMessageBytes = options.maxMessageBytes ?? 1_048_576;
  const publisher = new RedisPublisher(options.redisUrl, {
    timeoutMs: options.timeoutMs ?? 5000,
    maxPending: options.maxPending ?? 10_000,
    onError: options.onError ?? (() => {}),
  });
  return {
    async publishToRoom(room, message) {
      if (typeof room !== 'string' || !isRoomName(room))
        throw new HubbubError('INVALID_ROOM', `No room name: ${JSON.stringify(room)}`);
      await publisher.publish(channels.room(room), encodePublication(message, maxMessageBytes));
    },
    async publishToUser(userId, message) {
      if (typeof userId !== 'string' || userId === '' || Buffer.byteLength(userId) > USER_ID_MAX_BYTES) {
        throw new HubbubError('INVALID_FORMAT', `userId: expected 1 to ${USER_ID_MAX_BYTES} bytes of text`);
      }
      await publisher.publish(channels.user(userId), encodePublication(message, maxMessageBytes));
    },
    async publishToAll(message) {
      await publisher.publish(channels.broadcast, encodePublication(message, maxMessageBytes));
    },
    close: () => publisher.close(),
  };
}
