/** Opens a connection to Redis that reconnects quickly by itself, and never queues commands that it cannot send. */
import { Redis } from 'ioredis';
import { BatchingRedis } from './batching-redis.js';
import { type ConnectionGroup, isReadOnlyRefusal } from './connection-group.js';
import { connectorOf, type RedisServer } from './redis-server.js';

/** Longest wait between two attempts: a restarted Redis is found within about a second. */
export const RECONNECT_MAX_DELAY_MS = 1000;
const RECONNECT_BASE_DELAY_MS = 50;
const CONNECT_TIMEOUT_MS = 2000;
/** Of ioredis: states in which there is a socket. */
const CONNECTED: ReadonlySet<string> = new Set(['connecting', 'connect', 'ready']);

export interface RedisConnectionOptions {
  /** A command without an answer for this time rejects. Unset: it waits (for blocking reads). */
  readonly commandTimeoutMs?: number;
  /** Sends the commands of one turn of the event loop in few writes. */
  readonly batchWrites?: boolean;
  /**
   * Commands wait for a connection that is not there yet, as long as `commandTimeoutMs`. For services, which may publish
   * before they are connected; an edge should know immediately.
   */
  readonly waitForConnection?: boolean;
  /** Dropped together when one of them finds that its server is a replica. */
  readonly group: ConnectionGroup;
  /** Called on each failure; a connection that fails is retried until it is closed. */
  onError(error: Error): void;
}

/** Returns immediately and connects in the background; commands before that reject. See `connected`. */
export function openRedisConnection(server: RedisServer, options: RedisConnectionOptions): Redis {
  const { username, password, db, tls } = server;
  const { group } = options;
  const redis = new (options.batchWrites === true ? BatchingRedis : Redis)({
    Connector: connectorOf(server),
    db,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    // Of the connector's sockets: only then does the client wait for the handshake.
    ...(tls && { tls: {} }),
    // A command that cannot be sent now fails now: the caller knows what to do with it, a queue does not.
    enableOfflineQueue: options.waitForConnection ?? false,
    maxRetriesPerRequest: options.waitForConnection === true ? null : 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: CONNECT_TIMEOUT_MS,
    ...(options.commandTimeoutMs !== undefined && { commandTimeout: options.commandTimeoutMs }),
    reconnectOnError: error => {
      if (isReadOnlyRefusal(error)) group.foundReadOnly();
      return false;
    },
    retryStrategy: reconnectDelayMs,
  });
  let isDatabaseMissing = false;
  redis.on('connect', () => {
    isDatabaseMissing = false;
  });
  redis.on('error', error => {
    // The connection was given up, and this event follows from that.
    if (isDatabaseMissing) return;
    isDatabaseMissing = Object(error).command?.name === 'select';
    // The client would continue in database 0.
    if (isDatabaseMissing) redis.disconnect(true);
    options.onError(error);
  });
  const member = {
    drop: () => {
      if (CONNECTED.has(redis.status)) redis.disconnect(true);
    },
  };
  group.add(member);
  redis.once('end', () => group.remove(member));
  return redis;
}

/** Doubles up to the longest wait, with jitter. @param attempt from 1 */
export function reconnectDelayMs(attempt: number): number {
  const ceiling = Math.min(RECONNECT_MAX_DELAY_MS, RECONNECT_BASE_DELAY_MS * 2 ** attempt);
  return ceiling / 2 + Math.random() * (ceiling / 2);
}

/** Resolves when the connection can take commands; rejects after `withinMs`. The connection keeps trying either way. */
export async function connected(redis: Redis, withinMs: number): Promise<void> {
  if (redis.status === 'ready') return;
  await new Promise<void>((resolve, reject) => {
    const onReady = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      redis.off('ready', onReady);
      reject(new Error(`Redis does not answer within ${withinMs} ms`));
    }, withinMs);
    redis.once('ready', onReady);
  });
}
