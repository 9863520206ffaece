/** Connects to the Redis that `HUBBUB_REDIS_URL` names, with what ioredis has for Sentinels and for a Redis Cluster. */
import { Cluster, Redis } from 'ioredis';

/** Commands wait while there is no connection, and reject after this time. */
const OPTIONS = { maxRetriesPerRequest: null, commandTimeout: 10_000 };
const SEVERAL = /^redis\+(sentinel|cluster):\/\/(?:([^:@/]*):([^@/]*)@)?([^/@]+)\/?(\w*)$/;

/**
 * @param url `redis://…`, `redis+sentinel://user:password@host:26379,…/<primary>` or `redis+cluster://user:password@host:6379,…`
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
  const [, topology, user, password, list = '', name = ''] = several;
  const options = { ...OPTIONS, ...(password !== undefined && { username: user, password }) };
  const hosts = list.split(',').map(text => {
    const { hostname, port } = new URL(`redis://${text}`);
    return { host: hostname, port: Number(port) };
  });
  return topology === 'sentinel'
    ? new Redis({ ...options, sentinels: hosts, name })
    : // The check would need CLUSTER INFO, which the user of services may not run.
      new Cluster(hosts, { redisOptions: options, enableReadyCheck: false });
}
