/** Connects to the Redis that `HUBBUB_REDIS_URL` names, with what ioredis has for Sentinels and for a Redis Cluster. */
import { Cluster, Redis } from 'ioredis';

/** Commands wait while there is no connection, and reject after this time. */
const OPTIONS = { maxRetriesPerRequest: null, commandTimeout: 10_000 };
const SEVERAL = /^redis\+(sentinel|cluster):\/\/([^/@]+)\/?(\w*)$/;

/**
 * @param url `redis://…`, or without a password `redis+sentinel://host:26379,…/<primary>` or `redis+cluster://host:6379,…`
 */
export function connectRedis(url: string): Redis | Cluster {
  const redis = open(url);
  redis.on('error', () => {
    // It reconnects by itself; commands that wait too long reject meanwhile.
  });
  return redis;
}

function open(url: string): Redis | Cluster {
  const several = SEVERAL.exec(url);
  if (several === null) return new Redis(url, OPTIONS);
  const [, topology, list = '', name = ''] = several;
  const hosts = list.split(',').map(text => {
    const { hostname, port } = new URL(`redis://${text}`);
    return { host: hostname, port: Number(port) };
  });
  return topology === 'sentinel'
    ? new Redis({ ...OPTIONS, sentinels: hosts, name })
    : new Cluster(hosts, { redisOptions: OPTIONS });
}
