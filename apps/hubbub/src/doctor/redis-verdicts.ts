/** Judges the answers of Redis for a hub. */
import { type Check, fail, ok, warn } from './check.js';

const OLDEST = [6, 2] as const;
const MEGABYTE = 1_048_576;
/** Redis' own default: what an edge that stalls for a moment under load runs into. */
const DEFAULT_HARD = 32 * MEGABYTE;
const DEFAULT_SOFT = 8 * MEGABYTE;
const WANTED_HARD = 256 * MEGABYTE;
const WANTED_SOFT = 64 * MEGABYTE;

const CONFIG_SET = 'redis-cli -u "$HUBBUB_REDIS_URL" config set';
const KEEP = 'and the same in its configuration file';

/** @param info the answer to INFO server */
export function redisVersion(info: string): Check {
  const valkey = /^valkey_version:(\S+)/m.exec(info)?.[1];
  const compatible = /^redis_version:(\S+)/m.exec(info)?.[1] ?? '';
  const found = valkey === undefined ? compatible || 'unknown' : `Valkey ${valkey}`;
  const [major = 0, minor = 0] = compatible.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return ok('Redis version', found);
  return fail('Redis version', found, `Install Redis ${OLDEST.join('.')} or newer, or Valkey.`);
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

export function evictionPolicy(policy: string, maxMemory: string): Check {
  const limit = Number(maxMemory);
  const found = `maxmemory-policy ${policy}, maxmemory ${limit === 0 ? 'unlimited' : inMegabytes(limit)}`;
  if (policy === 'noeviction') return ok('Redis eviction', found);
  const change = `${CONFIG_SET} maxmemory-policy noeviction\n${KEEP}`;
  // Without a limit nothing is thrown out, until somebody sets one.
  if (limit === 0) return warn('Redis eviction', found, change);
  return fail('Redis eviction', `${found}: rosters and histories are evicted when memory is short`, change);
}

function inMegabytes(bytes: number): string {
  return `${(bytes / MEGABYTE).toFixed(bytes < MEGABYTE ? 2 : 0)} MB`;
}
