/** Checks one server of Redis: its version, role, settings, speed and clock. */
import type { RedisShard } from '@hubbub/broker';
import { type Check, fail, inMs, messageOf, ok, percentile, warn } from './check.js';
import { REDIS_CLI } from './redis-cli.js';
import {
  bufferMemory,
  evictionPolicy,
  pubSubBuffers,
  redisReplicas,
  redisRole,
  redisVersion,
  snapshots,
} from './redis-verdicts.js';

const PINGS = 100;
const CLOCK_WARN_MS = 1000;
const CLOCK_FAIL_MS = 30_000;
const SLOW_MEDIAN_MS = 5;
const SLOW_P99_MS = 50;

type RedisConnection = RedisShard['commands'];

/** Answers of a server, for the comparison with others. */
export class Reading {
  /** The version and the settings, by name. */
  readonly values = new Map<string, string>();
  /** Of its clock, compared with that of this machine. */
  aheadMs: number | undefined;
}

/**
 * Yields each as it is known.
 * @param durable names of the namespaces that need a replica here
 */
export async function* checkServer(
  redis: RedisConnection,
  { isInCluster, durable }: { readonly isInCluster: boolean; readonly durable: readonly string[] },
  reading: Reading,
): AsyncGenerator<Check> {
  const setting = async (name: string): Promise<string> => {
    const [, value] = Object(await redis.config('GET', name));
    if (typeof value !== 'string') throw new Error(`CONFIG GET ${name} has no answer`);
    reading.values.set(name, value);
    return value;
  };
  yield await asked('Redis version', async () => {
    const check = redisVersion(await redis.info('server'), isInCluster);
    reading.values.set('version', check.found);
    return check;
  });
  yield await asked('Redis role', async () => redisRole(await redis.role()));
  if (durable.length > 0) {
    yield await asked('Redis replicas', async () => redisReplicas(await redis.info('replication'), durable));
  }
  yield await asked('Redis pub/sub buffers', async () => pubSubBuffers(await setting('client-output-buffer-limit')));
  yield await asked('Redis eviction', async () =>
    evictionPolicy(await setting('maxmemory-policy'), await setting('maxmemory')),
  );
  yield await asked('Redis memory', async () => {
    const memory = await redis.info('memory');
    return bufferMemory({
      usedBytes: numberIn(memory, 'used_memory'),
      maxBytes: numberIn(memory, 'maxmemory'),
      subscribers: numberIn(await redis.info('clients'), 'pubsub_clients') || (await countSubscribers(redis)),
      limits: await setting('client-output-buffer-limit'),
    });
  });
  yield await asked('Redis snapshots', async () =>
    snapshots(await setting('save'), await setting('stop-writes-on-bgsave-error')),
  );
  yield await asked('Redis latency', async () => {
    const durations = await timed(PINGS, async () => void (await redis.ping()));
    return speed('Redis latency', `${PINGS} pings`, durations);
  });
  yield await asked('Redis clock', async () => {
    reading.aheadMs = await aheadMs(redis);
    return clock(reading.aheadMs);
  });
}

/** @param info the answer to INFO */
function numberIn(info: string, field: string): number {
  return Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
}

/** INFO has their number only since Redis 7.4. */
async function countSubscribers(redis: RedisConnection): Promise<number> {
  const list = String(await redis.client('LIST', 'TYPE', 'PUBSUB'));
  return list.split('\n').filter(line => line !== '').length;
}

/** A Redis may answer some commands and refuse others, as managed ones do with CONFIG. */
async function asked(name: string, question: () => Promise<Check>): Promise<Check> {
  try {
    return await question();
  } catch (error) {
    return warn(
      name,
      `cannot be read: ${messageOf(error)}`,
      'Allow the command to this user (ACL), or look where Redis is administered.',
    );
  }
}

async function aheadMs(redis: RedisConnection): Promise<number> {
  const before = Date.now();
  const [seconds = 0, microseconds = 0] = (await redis.time()).map(Number);
  return seconds * 1000 + microseconds / 1000 - (before + Date.now()) / 2;
}

function clock(aheadOfUsMs: number): Check {
  const offMs = Math.abs(aheadOfUsMs);
  const found = `Redis is ${inMs(offMs)} ${aheadOfUsMs < 0 ? 'behind' : 'ahead of'} this machine`;
  const change = 'timedatectl set-ntp true, on this machine and on that of Redis';
  if (offMs > CLOCK_FAIL_MS) return fail('Redis clock', found, change);
  return offMs > CLOCK_WARN_MS ? warn('Redis clock', found, change) : ok('Redis clock', found);
}

export function speed(name: string, what: string, durations: readonly number[]): Check {
  const median = percentile(durations, 0.5);
  const p99 = percentile(durations, 0.99);
  const found = `median ${inMs(median)}, p99 ${inMs(p99)} (${what})`;
  if (median <= SLOW_MEDIAN_MS && p99 <= SLOW_P99_MS) return ok(name, found);
  return warn(name, found, `Run Redis near the edges, and see what delays it: ${REDIS_CLI} slowlog get 10`);
}

export async function timed(times: number, work: () => Promise<void>): Promise<number[]> {
  const durations: number[] = [];
  for (let at = 0; at < times; at++) {
    const begin = performance.now();
    await work();
    durations.push(performance.now() - begin);
  }
  return durations;
}
