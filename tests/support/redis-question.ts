/** Connections of the tests themselves to a Redis server. */
import { Redis, type RedisOptions } from 'ioredis';

/** A connection that does not shout when its server goes away, as the tests make it do. */
export function connectRedis(url: string, options: RedisOptions = {}): Redis {
  const connection = new Redis(url, options);
  connection.on('error', () => {}); // Commands reject by themselves; without a listener ioredis prints every attempt.
  return connection;
}

/** Asks one question over a connection of its own. */
export async function askRedisOnce(url: string, command: string, ...args: string[]): Promise<unknown> {
  const connection = connectRedis(url, { maxRetriesPerRequest: 2 });
  try {
    return await connection.call(command, ...args);
  } finally {
    connection.disconnect();
  }
}
