/** The Redis server that HUBBUB_TEST_REDIS_URL names: it is shared, so tests neither restart nor freeze it. */
import type { RedisHost } from './redis-host.js';
import { connectRedis } from './redis-question.js';

export function useSharedRedis(url: string, prefix: string): RedisHost {
  const notOurs = async () => {
    throw new Error('HUBBUB_TEST_REDIS_URL is not ours to restart or freeze: use startRedis({ own: true }).');
  };
  return {
    url,
    port: Number(new URL(url).port || 6379),
    pid: undefined,
    start: notOurs,
    halt: notOurs,
    pause: notOurs,
    resume: notOurs,
    dispose: () => deleteKeys(url, prefix),
  };
}

/** A server that outlives the test must not keep our keys. */
async function deleteKeys(url: string, prefix: string): Promise<void> {
  const connection = connectRedis(url);
  try {
    for await (const keys of connection.scanStream({ match: `${prefix}*`, count: 1000 })) {
      if (keys.length > 0) await connection.unlink(...keys);
    }
  } finally {
    connection.disconnect();
  }
}
