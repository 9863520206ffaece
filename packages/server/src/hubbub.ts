/** The cluster as a service sees it. */
import { Channels, DEFAULT_REDIS_PREFIX, HubbubError, isRoomName, USER_ID_MAX_BYTES } from '@hubbub/protocol';
import { encodeControl, encodePublication, type Publication } from './publication.js';
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
   * @example await hubbub.publishToRoom('prices:eu', { type: 'price', key: 'ACME', payload: { price: 42 } });
   */
  publishToRoom(room: string, message: Publication): Promise<void>;
  /** To every session of the user, on whichever edge. Throws as `publishToRoom` does. */
  publishToUser(userId: string, message: Publication): Promise<void>;
  /** To every session of the cluster. Throws as `publishToRoom` does. */
  publishToAll(message: Publication): Promise<void>;
  /**
   * Takes everybody out of the room, on every edge: members get `room_closed`, with the reason. Who joins later, or is
   * joining at this moment, opens the room anew: to keep people out, give them no right to it.
   * @param reason at most 123 bytes
   * @throws {HubbubError} `INVALID_ROOM`, `INVALID_FORMAT`, or `UNAVAILABLE` (retryable: doing it twice does no harm).
   * @example await hubbub.closeRoom('game:42', 'the game is over');
   */
  closeRoom(room: string, reason?: string): Promise<void>;
  /** Takes the user out of the room with every session: they get `room_closed` with `removed: true`. Else as `closeRoom`. */
  removeFromRoom(room: string, userId: string, reason?: string): Promise<void>;
  /**
   * Ends every session of the user with the close code 4200, after which clients do not come back by themselves. Its
   * tokens stay valid: mint no new ones. Throws as `closeRoom` does.
   * @example await hubbub.disconnectUser('u1', 'the account was closed');
   */
  disconnectUser(userId: string, reason?: string): Promise<void>;
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
  const roomChannel = (room: string): string => {
    if (typeof room === 'string' && isRoomName(room)) return channels.room(room);
    throw new HubbubError('INVALID_ROOM', `No room name: ${JSON.stringify(room)}`);
  };
  const userChannel = (userId: string): string => {
    if (typeof userId === 'string' && userId !== '' && Buffer.byteLength(userId) <= USER_ID_MAX_BYTES) {
      return channels.user(userId);
    }
    throw new HubbubError('INVALID_FORMAT', `userId: expected 1 to ${USER_ID_MAX_BYTES} bytes of text`);
  };
  const because = (reason: string | undefined) => (reason === undefined ? {} : { reason });
  return {
    async publishToRoom(room, message) {
      await publisher.publish(roomChannel(room), encodePublication(message, maxMessageBytes));
    },
    async publishToUser(userId, message) {
      await publisher.publish(userChannel(userId), encodePublication(message, maxMessageBytes));
    },
    async publishToAll(message) {
      await publisher.publish(channels.broadcast, encodePublication(message, maxMessageBytes));
    },
    async closeRoom(room, reason) {
      await publisher.publish(roomChannel(room), encodeControl({ do: 'close_room', ...because(reason) }));
    },
    async removeFromRoom(room, user, reason) {
      await publisher.publish(roomChannel(room), encodeControl({ do: 'remove_user', user, ...because(reason) }));
    },
    async disconnectUser(userId, reason) {
      await publisher.publish(userChannel(userId), encodeControl({ do: 'disconnect_user', ...because(reason) }));
    },
    close: () => publisher.close(),
  };
}
