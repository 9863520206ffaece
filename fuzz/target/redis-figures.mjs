/** What is in Redis under the prefix of the run: keys, those about rooms and users, and memory where the Redis is the run's own. */
import { Redis } from 'ioredis';

/** What the registry keeps of rooms and users: everything of a partition but its owner and its streams, which end with time. */
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
