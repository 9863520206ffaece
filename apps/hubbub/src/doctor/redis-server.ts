/** Whether Redis is there, is one that Hubbub can use, and is set up to keep what edges need. */
import { randomBytes } from 'node:crypto';
import { openRedisTopology, RedisBroker, type RedisShard, type RedisTopology } from '@hubbub/broker';
import { type Config, withoutCredentials } from '@hubbub/config';
import { Channels, encodeEnvelope } from '@hubbub/protocol';
import { untilRedis } from '../redis.js';
import { type Check, fail, inMs, messageOf, ok, percentile, warn } from './check.js';
import { evictionPolicy, pubSubBuffers, redisRole, redisVersion } from './redis-verdicts.js';

const PINGS = 100;
/** Any envelope. */
const PROBE = encodeEnvelope({ encoding: 'json', publishedAtMs: 0, probe: 0 }, new Uint8Array(0));
const ROUND_TRIPS = 20;
const CLOCK_WARN_MS = 1000;
const CLOCK_FAIL_MS = 30_000;
const SLOW_MEDIAN_MS = 5;
const SLOW_P99_MS = 50;

type RedisConnection = RedisShard['commands'];

/** Yields each as it is known. */
export async function* redisServer(config: Config): AsyncGenerator<Check> {
  if (config.redisUrl === undefined) {
    yield ok(
      'Redis',
      'not configured: hubbub start runs everything in one process, in memory; a cluster needs HUBBUB_REDIS_URL',
    );
    return;
  }
  const url = config.redisUrl;
  const address = withoutCredentials(url);
  let failure = '';
  const redis = openRedisTopology(url, {
    commandTimeoutMs: config.redisCommandTimeoutMs,
    staysAtReplica: true,
    onError: error => {
      failure = ` (${error.message})`;
    },
  });
  const [server] = redis.shards as [RedisShard];
  const { commands } = server;
  try {
    await redis.connected(config.redisCommandTimeoutMs);
    await commands.ping();
  } catch (error) {
    redis.close();
    yield fail(
      'Redis',
      `${address}: ${messageOf(error)}${failure}`,
      'Start it, or correct HUBBUB_REDIS_URL; to see for yourself: redis-cli -u "$HUBBUB_REDIS_URL" ping',
    );
    return;
  }
  try {
    yield ok('Redis', `answers at ${address}`);
    yield await asked('Redis version', async () => redisVersion(await commands.info('server')));
    yield await asked('Redis role', async () => redisRole(await commands.role()));
    yield await asked('Redis pub/sub buffers', async () =>
      pubSubBuffers(await configured(commands, 'client-output-buffer-limit')),
    );
    yield await asked('Redis eviction', async () =>
      evictionPolicy(await configured(commands, 'maxmemory-policy'), await configured(commands, 'maxmemory')),
    );
    yield await asked('Redis latency', () => latency(commands));
    yield await asked('Redis clock', () => clock(commands));
    yield await asked('publish and hear', () => roundTrips(redis, config));
  } finally {
    redis.close();
  }
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

async function configured(redis: RedisConnection, name: string): Promise<string> {
  const [, value] = Object(await redis.config('GET', name));
  if (typeof value !== 'string') throw new Error(`CONFIG GET ${name} has no answer`);
  return value;
}

async function latency(redis: RedisConnection): Promise<Check> {
  const durations = await timed(PINGS, async () => void (await redis.ping()));
  return speed('Redis latency', `${PINGS} pings`, durations);
}

async function clock(redis: RedisConnection): Promise<Check> {
  const before = Date.now();
  const [seconds = 0, microseconds = 0] = (await redis.time()).map(Number);
  const aheadMs = seconds * 1000 + microseconds / 1000 - (before + Date.now()) / 2;
  const offMs = Math.abs(aheadMs);
  const found = `Redis is ${inMs(offMs)} ${aheadMs < 0 ? 'behind' : 'ahead of'} this machine`;
  const change = 'timedatectl set-ntp true, on this machine and on that of Redis';
  if (offMs > CLOCK_FAIL_MS) return fail('Redis clock', found, change);
  return offMs > CLOCK_WARN_MS ? warn('Redis clock', found, change) : ok('Redis clock', found);
}

/** As a message travels between two edges: written and published on one connection, heard on another. */
async function roundTrips(redis: RedisTopology, config: Config): Promise<Check> {
  const broker = new RedisBroker(redis);
  const channel = new Channels(config.redisPrefix).node(`doctor-${randomBytes(4).toString('hex')}`);
  let heard: () => void = () => {};
  broker.onEnvelope(() => heard());
  try {
    await untilRedis(() => broker.subscribe(channel), config.redisCommandTimeoutMs);
    const durations = await timed(ROUND_TRIPS, async () => {
      const back = new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('not heard')), config.probeTimeoutMs);
        heard = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      await Promise.all([broker.probe(channel, PROBE), back]);
    });
    return speed('publish and hear', `${ROUND_TRIPS} messages through Redis and back`, durations);
  } catch (error) {
    return fail(
      'publish and hear',
      `a published message is not received within HUBBUB_PROBE_TIMEOUT_MS (${config.probeTimeoutMs} ms): ${messageOf(error)}`,
      'Let the user of HUBBUB_REDIS_URL publish and subscribe: redis-cli -u "$HUBBUB_REDIS_URL" acl whoami',
    );
  } finally {
    await broker.close();
  }
}

function speed(name: string, what: string, durations: readonly number[]): Check {
  const median = percentile(durations, 0.5);
  const p99 = percentile(durations, 0.99);
  const found = `median ${inMs(median)}, p99 ${inMs(p99)} (${what})`;
  if (median <= SLOW_MEDIAN_MS && p99 <= SLOW_P99_MS) return ok(name, found);
  return warn(
    name,
    found,
    'Run Redis near the edges, and see what delays it: redis-cli -u "$HUBBUB_REDIS_URL" slowlog get 10',
  );
}

async function timed(times: number, work: () => Promise<void>): Promise<number[]> {
  const durations: number[] = [];
  for (let at = 0; at < times; at++) {
    const begin = performance.now();
    await work();
    durations.push(performance.now() - begin);
  }
  return durations;
}
