/** Connections of the tests themselves to a Redis server. */
import { Redis, type RedisOptions } from 'ioredis';

/** A connection that stays silent when a test stops its server. */
export function connectRedis(url: string, options: RedisOptions = {}): Redis {
  const connection = new Redis(url, options);
  connection.on('error', () => {}); // Commands reject by themselves; without a listener ioredis prints every attempt.
  return connection;
}

/** Runs one command over a separate connection. */
export async function askRedisOnce(url: string, command: string, ...args: string[]): Promise<unknown> {
  const connection = connectRedis(url, { maxRetriesPerRequest: 2 });
  try {
    return await connection.call(command, ...args);
  } finally {
    connection.disconnect();
  }
}
