/** Checks that every server of Redis is available and suits Hubbub, and that the servers suit each other. */
import { randomBytes } from 'node:crypto';
import { openRedisTopology, RedisBroker, type RedisShard, type RedisTopology } from '@hubbub/broker';
import { type Config, withoutCredentials } from '@hubbub/config';
import { Channels, encodeEnvelope, isSameRedis } from '@hubbub/protocol';
import { redisConnection, untilRedis } from '../redis.js';
import { type Check, fail, messageOf, ok } from './check.js';
import { REDIS_CLI, redisCli } from './redis-cli.js';
import { checkServer, Reading, speed, timed } from './redis-server.js';
import { alike, clocksTogether } from './redis-verdicts.js';

/** Any envelope. */
const PROBE = encodeEnvelope({ encoding: 'json', publishedAtMs: 0, probe: 0 }, new Uint8Array(0));
const ROUND_TRIPS = 20;

/** One of the two Redis of a cluster. */
interface Examined {
  readonly setting: 'HUBBUB_REDIS_URL' | 'HUBBUB_REGISTRY_REDIS_URL';
  readonly url: string;
  /** Whether messages travel through it. */
  readonly carriesRooms: boolean;
  /** Whether each check names its server, although there is only one here. */
  readonly isNamed: boolean;
}

/** Yields each as it is known. Where there are several servers, each check names its own; each server is checked once. */
export async function* redisServers(config: Config): AsyncGenerator<Check> {
  const { redisUrl, registryRedisUrl = redisUrl } = config;
  if (redisUrl === undefined || registryRedisUrl === undefined) {
    yield ok(
      'Redis',
      'not configured: hubbub start runs everything in one process, in memory; a cluster needs HUBBUB_REDIS_URL',
    );
    return;
  }
  const checked = new Set<string>();
  const isNamed = !isSameRedis(redisUrl, registryRedisUrl);
  yield* examine(config, { setting: 'HUBBUB_REDIS_URL', url: redisUrl, carriesRooms: true, isNamed }, checked);
  if (!isNamed) return;
  const registry = {
    setting: 'HUBBUB_REGISTRY_REDIS_URL',
    url: registryRedisUrl,
    carriesRooms: false,
    isNamed,
  } as const;
  yield* examine(config, registry, checked);
}

/** @param checked names of servers, to which the new ones are added */
async function* examine(config: Config, examined: Examined, checked: Set<string>): AsyncGenerator<Check> {
  const { setting, url, carriesRooms } = examined;
  const address = withoutCredentials(url);
  const failures = new Set<string>();
  const redis = openRedisTopology(url, {
    ...redisConnection(config),
    staysAtReplica: true,
    onError: error => failures.add(error.message),
  });
  const unavailable = (where: string, error: unknown): Check => {
    const all = [...failures];
    const cause = all.findLast(message => message.includes(where)) ?? all.at(-1);
    return fail(
      'Redis',
      `${where}: ${messageOf(error)}${cause === undefined ? '' : ` (${cause})`}`,
      `Start it, or correct ${setting}; to see for yourself: ${REDIS_CLI} ping`,
    );
  };
  const broker = new RedisBroker(redis);
  try {
    // Of several servers, one may be unavailable: each is checked below.
    const whole = await redis.connected(config.redisCommandTimeoutMs).catch((error: unknown) => error);
    const { shards } = redis;
    if (shards.length === 0) yield advise(unavailable(address, whole), redisCli(config, url), setting);
    const isNamed = examined.isNamed || shards.length > 1;
    const durable = Object.entries(config.namespaces).flatMap(([name, own]) => (own.durable ? [name] : []));
    const needs = { isInCluster: redis.isSharded, durable: carriesRooms ? durable : [] };
    const readings = new Map<string, Reading>();
    for (const shard of shards.filter(({ name }) => !checked.has(name))) {
      checked.add(shard.name);
      const name = isNamed ? shard.name : address;
      const naming = (check: Check) => {
        const advised = advise(check, redisCli(config, url, shard), setting);
        return isNamed ? { ...advised, name: `${check.name} (${name})` } : advised;
      };
      try {
        await shard.commands.ping();
      } catch (error) {
        yield naming(unavailable(name, whole ?? error));
        continue;
      }
      yield naming(ok('Redis', `answers at ${name}`));
      const reading = new Reading();
      readings.set(shard.name, reading);
      for await (const check of checkServer(shard.commands, needs, reading)) yield naming(check);
      if (carriesRooms) yield naming(await roundTrips(redis, shard, broker, config));
    }
    if (readings.size > 1) yield* compared(readings);
  } finally {
    await broker.close();
  }
}

function* compared(readings: ReadonlyMap<string, Reading>): Generator<Check> {
  yield alike(new Map([...readings].map(([server, { values }]) => [server, values])));
  yield clocksTogether(
    new Map([...readings].flatMap(([server, { aheadMs }]) => (aheadMs === undefined ? [] : [[server, aheadMs]]))),
  );
}

/** @param setting its URL names the server */
function advise({ change, ...check }: Check, cli: string, setting: Examined['setting']): Check {
  if (change === undefined) return check;
  return { ...check, change: change.replaceAll(REDIS_CLI, () => cli).replaceAll('HUBBUB_REDIS_URL', setting) };
}

/** As a message travels between two edges: written and published on one connection, heard on another. */
async function roundTrips(
  redis: RedisTopology,
  shard: RedisShard,
  broker: RedisBroker,
  config: Config,
): Promise<Check> {
  let heard: () => void = () => {};
  try {
    const channel = channelAt(redis, shard, new Channels(config.redisPrefix));
    broker.onEnvelope(from => {
      if (from === channel) heard();
    });
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
      `Let the user of HUBBUB_REDIS_URL publish and subscribe: ${REDIS_CLI} acl whoami`,
    );
  }
}

/** Finds a channel of a server with a single slot of 16,384, except once in four million. */
const NAMES_MAX = 250_000;

/** @throws {Error} if the server holds no channel: its slots have moved */
export function channelAt(redis: Pick<RedisTopology, 'shardOf'>, shard: RedisShard, channels: Channels): string {
  const run = randomBytes(4).toString('hex');
  for (let number = 0; number < NAMES_MAX; number++) {
    const channel = channels.node(`doctor-${run}-${number}`);
    if (redis.shardOf(channel) === shard) return channel;
  }
  throw new Error(`${shard.name} holds no slot`);
}
