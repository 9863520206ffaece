/** Judges the answers of Redis for a hub. */
import { type Check, fail, inMs, ok, warn } from './check.js';
import { REDIS_CLI } from './redis-cli.js';

const OLDEST = [6, 2] as const;
/** The first with sharded pub/sub, without which a Redis Cluster carries every message to every server. */
const OLDEST_IN_CLUSTER = [7, 0] as const;
const MEGABYTE = 1_048_576;
/** After a failover, services may miss lifecycle events of this time (docs/failures.md). */
const CLOCKS_APART_MS = 1000;
/** Redis' own default: what an edge that stalls for a moment under load runs into. */
const DEFAULT_HARD = 32 * MEGABYTE;
const DEFAULT_SOFT = 8 * MEGABYTE;
const WANTED_HARD = 256 * MEGABYTE;
const WANTED_SOFT = 64 * MEGABYTE;

const CONFIG_SET = `${REDIS_CLI} config set`;
const KEEP = 'and the same in its configuration file';

/** @param info the answer to INFO server */
export function redisVersion(info: string, isInCluster = false): Check {
  const valkey = /^valkey_version:(\S+)/m.exec(info)?.[1];
  const compatible = /^redis_version:(\S+)/m.exec(info)?.[1] ?? '';
  const found = valkey === undefined ? compatible || 'unknown' : `Valkey ${valkey}`;
  const [major = 0, minor = 0] = compatible.split('.').map(Number);
  const oldest = isInCluster ? OLDEST_IN_CLUSTER : OLDEST;
  const [oldestMajor, oldestMinor] = oldest;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return ok('Redis version', found);
  return fail('Redis version', found, `Install Redis ${oldest.join('.')} or newer, or Valkey.`);
}

/** @param role the answer to ROLE */
export function redisRole(role: unknown): Check {
  const name = 'Redis role';
  if (!Array.isArray(role) || role[0] !== 'slave') return ok(name, 'primary');
  return fail(
    name,
    `a replica of ${role[1]}:${role[2]}: it refuses writes, and its publishes reach no subscriber of the primary`,
    'Let HUBBUB_REDIS_URL lead to the primary.',
  );
}

/**
 * @param info the answer to INFO replication
 * @param durable names of the durable namespaces
 */
export function redisReplicas(info: string, durable: readonly string[]): Check {
  const name = 'Redis replicas';
  const online = [...info.matchAll(/^slave\d+:.*\bstate=online\b/gm)].length;
  const found = `${online} online, for the durable namespaces ${durable.join(', ')}`;
  if (online > 0) return ok(name, found);
  return fail(
    name,
    `${found}: every message there gets OUTCOME_UNKNOWN`,
    'Give the primary a replica, or remove `durable` from the namespaces.',
  );
}

/** @param limits such as `normal 0 0 0 slave … pubsub 33554432 8388608 60` */
export function pubSubBuffers(limits: string): Check {
  const name = 'Redis pub/sub buffers';
  const [, hard = 0, soft = 0, seconds = 0] = (/pubsub (\d+) (\d+) (\d+)/.exec(limits) ?? []).map(Number);
  const found = `an edge is cut off ${hard === 0 ? 'never' : `${inMegabytes(hard)} behind`}, or ${soft === 0 ? 'never' : `${inMegabytes(soft)} for ${seconds} s`}`;
  const change = `${CONFIG_SET} client-output-buffer-limit 'pubsub 256mb 64mb 60'\n${KEEP}, and have the memory for it`;
  const below = (least: { hard: number; soft: number }) =>
    (hard !== 0 && hard < least.hard) || (soft !== 0 && soft < least.soft);
  if (below({ hard: DEFAULT_HARD, soft: DEFAULT_SOFT })) return fail(name, found, change);
  return below({ hard: WANTED_HARD, soft: WANTED_SOFT }) ? warn(name, found, change) : ok(name, found);
}

interface Memory {
  readonly usedBytes: number;
  /** 0: no limit. */
  readonly maxBytes: number;
  /** Connections that receive messages: one of each edge, and those of services. */
  readonly subscribers: number;
  /** Answer to CONFIG GET client-output-buffer-limit. */
  readonly limits: string;
}

/** Buffers of subscribers count as memory of Redis: edges that are behind can make it refuse all writes. */
export function bufferMemory({ usedBytes, maxBytes, subscribers, limits }: Memory): Check {
  const name = 'Redis memory';
  const hard = Number(/pubsub (\d+)/.exec(limits)?.[1] ?? 0);
  const used = `${inMegabytes(usedBytes)} used`;
  if (maxBytes === 0) return ok(name, `${used}, no limit`);
  const neededBytes = usedBytes + subscribers * hard;
  const found = `${used} of ${inMegabytes(maxBytes)}; ${subscribers} subscribers may buffer ${inMegabytes(hard)} each`;
  if (neededBytes <= maxBytes) return ok(name, found);
  const megabytes = Math.ceil(neededBytes / MEGABYTE);
  return warn(
    name,
    `${found}: when they are behind, Redis refuses all writes`,
    `${CONFIG_SET} maxmemory ${megabytes}mb\n${KEEP}, or a lower client-output-buffer-limit`,
  );
}

/** @param save the answer to CONFIG GET save; empty: no snapshots */
export function snapshots(save: string, stopsWrites: string): Check {
  const name = 'Redis snapshots';
  if (save === '') return ok(name, 'none');
  const found = `a snapshot for ${save} (seconds and changes)`;
  if (stopsWrites === 'no') return ok(name, found);
  return warn(
    name,
    `${found}; when one fails, as on a full disk, Redis refuses all writes`,
    `${CONFIG_SET} stop-writes-on-bgsave-error no\n${KEEP}; or ${CONFIG_SET} save '' where appendonly is on`,
  );
}

export function evictionPolicy(policy: string, maxMemory: string): Check {
  const limit = Number(maxMemory);
  const found = `maxmemory-policy ${policy}, maxmemory ${limit === 0 ? 'unlimited' : inMegabytes(limit)}`;
  if (policy === 'noeviction') return ok('Redis eviction', found);
  const change = `${CONFIG_SET} maxmemory-policy noeviction\n${KEEP}`;
  // Without a limit nothing is thrown out, until somebody sets one.
  if (limit === 0) return warn('Redis eviction', found, change);
  return fail('Redis eviction', `${found}: rosters and histories are evicted when memory is short`, change);
}

/** @param readings of each server: what should be the same everywhere, by name */
export function alike(readings: ReadonlyMap<string, ReadonlyMap<string, string>>): Check {
  const name = 'Redis servers';
  const differing = [...new Set([...readings.values()].flatMap(reading => [...reading.keys()]))].flatMap(what => {
    const values = [...readings].flatMap(([server, reading]) => {
      const value = reading.get(what);
      return value === undefined ? [] : [[server, value] as const];
    });
    if (new Set(values.map(([, value]) => value)).size < 2) return [];
    return `${what}: ${values.map(([server, value]) => `${value} on ${server}`).join(', ')}`;
  });
  if (differing.length === 0) return ok(name, `the ${readings.size} servers have the same version and settings`);
  return warn(name, `they differ in ${differing.join('; ')}`, 'Give all servers the same version and settings.');
}

/** @param aheadMs of each server: its clock, compared with that of this machine */
export function clocksTogether(aheadMs: ReadonlyMap<string, number>): Check {
  const name = 'Redis clocks';
  const sorted = [...aheadMs].toSorted(([, a], [, b]) => a - b);
  const [[slowest, least] = ['', 0], [fastest, most] = ['', 0]] = [sorted[0], sorted.at(-1)];
  const found = `${fastest} is ${inMs(most - least)} ahead of ${slowest}`;
  if (most - least <= CLOCKS_APART_MS) return ok(name, found);
  return warn(name, found, 'timedatectl set-ntp true, on the machines of all servers');
}

function inMegabytes(bytes: number): string {
  return `${(bytes / MEGABYTE).toFixed(bytes < MEGABYTE ? 2 : 0)} MB`;
}
