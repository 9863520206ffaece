/** Reads figures from Redis: executed commands, memory, and the keys of presence. */

/** @param {import('ioredis').Redis} redis @returns {Promise<number>} bytes in use, without the buffers of connections */
export async function usedBytes(redis) {
  const memory = await redis.info('memory');
  const field = name => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(memory)?.[1] ?? 0);
  return field('used_memory') - field('mem_clients_normal');
}

/** Calls of each command since the last `CONFIG RESETSTAT`, including calls inside of scripts. */
export async function commandCalls(redis) {
  const stats = await redis.info('commandstats');
  const calls = [...stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(([, name, count]) => [name, Number(count)]);
  return Object.fromEntries(calls.filter(([name]) => !['info', 'config|resetstat'].includes(name)));
}

/** Bytes of all keys by kind, as Redis counts them. */
export async function bytesByKind(redis, prefix) {
  const kinds = {};
  for (const key of await redis.keys(`${prefix}:presence:*`)) {
    const kind = /\{p\d+\}:(\w+)/.exec(key)?.[1] ?? 'other';
    kinds[kind] = (kinds[kind] ?? 0) + (await redis.memory('USAGE', key, 'SAMPLES', 0));
  }
  return kinds;
}

export function reportKeys(prefix, partitions = 16) {
  return Array.from({ length: partitions }, (_, partition) => `${prefix}:presence:{p${partition}}:reports`);
}

/** Users in all rosters. */
export async function rosterUsers(redis, prefix, partitions = 16) {
  let users = 0;
  for (let partition = 0; partition < partitions; partition++) {
    for (const entry of await redis.hvals(`${prefix}:presence:{p${partition}}:rooms`))
      users += Number(entry.split(' ')[1]);
  }
  return users;
}

/** Keys of rooms and users in the registry: all of a partition except its owner, its streams and its edges' append numbers. */
const OF_CLIENTS = /:presence:\{p\d+\}:(?!meta$|reports$|lifecycle$|appended:)/;

/** Counts the keys of a prefix, and those of rooms and users among them. */
export async function countKeys(redis, prefix) {
  const keys = new Set();
  for await (const found of redis.scanStream({ match: `${prefix}:*`, count: 1000 }))
    for (const key of found) keys.add(key);
  return { keys: keys.size, clientKeys: [...keys].filter(key => OF_CLIENTS.test(key)).length };
}

const COUNTERS = {
  redisReads: ['total_reads_processed'],
  redisWrites: ['total_writes_processed'],
  redisBytesOut: ['total_net_output_bytes'],
  replicatedBytes: ['master_repl_offset'],
};

/** Sums counters of several servers: processor time of their main threads, and system calls. @param {readonly import('ioredis').Redis[]} servers */
export async function redisCounters(servers) {
  const infos = await Promise.all(servers.map(server => server.info('everything')));
  const sum = names =>
    infos
      .flatMap(info => names.map(name => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1] ?? Number.NaN)))
      .reduce((total, value) => total + value, 0);
  const seconds = sum(['used_cpu_user_main_thread', 'used_cpu_sys_main_thread']);
  return {
    redisMicros: seconds * 1e6,
    ...Object.fromEntries(Object.entries(COUNTERS).map(([name, names]) => [name, sum(names)])),
  };
}
