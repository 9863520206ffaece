/** Counts the run's keys in Redis, and those of rooms and users. Reads the memory of the run's own Redis. */
import { Redis } from 'ioredis';

/** The registry's keys of rooms and users: all of a partition except its owner and its streams, which expire. */
const OF_CLIENTS = /:presence:\{p\d+\}:(?!meta$|reports$|lifecycle$)/;

/** @param {{ url: string, prefix: string, own: boolean }} redis */
export async function redisFigures({ url, prefix, own }) {
  const redis = new Redis(url);
  try {
    const keys = [];
    for (let cursor = '0'; ; ) {
      const [next, found] = await redis.scan(cursor, 'MATCH', `${prefix}:*`, 'COUNT', 1000);
      keys.push(...found);
      cursor = next;
      if (cursor === '0') break;
    }
    const unique = [...new Set(keys)];
    const usedBytes = own ? Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]) : undefined;
    return {
      keys: unique.length,
      clientKeys: unique.filter(key => OF_CLIENTS.test(key)).length,
      redisBytes: usedBytes,
    };
  } finally {
    redis.disconnect();
  }
}
