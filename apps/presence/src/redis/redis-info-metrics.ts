/**
 * Metrics of each Redis server from INFO, read once per scrape: memory, evictions and closed subscribers without an exporter.
 * Every presence instance reports the same values; take the maximum by `server` and not the sum.
 */
import type { RedisShard, RedisTopology } from '@hubbub/broker';
import type { MetricsRegistry } from '@hubbub/runtime';
import { Counter, Gauge } from 'prom-client';

/** Name after `hubbub_redis_`, help text, and the fields of INFO that are added up. */
type Field = readonly [name: string, help: string, ...fields: readonly string[]];

const GAUGES: readonly Field[] = [
  ['connected_clients', 'Connections to Redis, including those of other programs.', 'connected_clients'],
  [
    'blocked_clients',
    'Connections in a blocking read, such as those of presence and event consumers.',
    'blocked_clients',
  ],
  ['pubsub_channels', 'Channels with a subscriber.', 'pubsub_channels'],
  ['memory_used_bytes', 'Memory that Redis has allocated.', 'used_memory'],
  ['memory_max_bytes', 'The limit maxmemory; 0 means no limit.', 'maxmemory'],
  ['memory_resident_bytes', 'Resident memory of Redis.', 'used_memory_rss'],
  ['memory_clients_bytes', 'Memory of connection buffers, including those of slow subscribers.', 'mem_clients_normal'],
  ['uptime_seconds', 'Time since Redis started.', 'uptime_in_seconds'],
];

const COUNTERS: readonly Field[] = [
  [
    'cpu_seconds_total',
    'Processor time of Redis. One second per second is a full core, which is all that Redis can use for commands.',
    'used_cpu_sys',
    'used_cpu_user',
  ],
  ['commands_total', 'Commands that Redis executed.', 'total_commands_processed'],
  ['received_bytes_total', 'Bytes that Redis received.', 'total_net_input_bytes'],
  [
    'sent_bytes_total',
    'Bytes that Redis sent; each publish counts once per subscribed edge.',
    'total_net_output_bytes',
  ],
  ['connections_total', 'Connections that Redis accepted.', 'total_connections_received'],
  ['rejected_connections_total', 'Connections that Redis refused because of maxclients.', 'rejected_connections'],
  [
    'evicted_keys_total',
    'Keys that Redis evicted because memory was short. Any eviction means a wrong maxmemory-policy.',
    'evicted_keys',
  ],
  ['expired_keys_total', 'Keys that expired.', 'expired_keys'],
  ['errors_total', 'Commands that Redis answered with an error.', 'total_error_replies'],
  [
    'output_limit_disconnections_total',
    'Connections that Redis closed because of client-output-buffer-limit. Redis 7.0 does not report it.',
    'client_output_buffer_limit_disconnections',
  ],
];

/** Registers `hubbub_redis_*`. The connections stay the caller's. A server that is in two topologies counts once. */
export function observeRedis(registry: MetricsRegistry, topologies: readonly RedisTopology[]): void {
  const common = { registers: [registry], labelNames: ['server'] as const };
  let asked: Promise<readonly Info[]> | undefined;
  /** One INFO of each server for all metrics of a scrape. */
  const ask = (): Promise<readonly Info[]> => {
    const servers = new Map(topologies.flatMap(({ shards }) => shards.map(shard => [shard.name, shard])));
    asked ??= Promise.all([...servers.values()].map(readInfo)).finally(() => {
      asked = undefined;
    });
    return asked;
  };
  const gauge = (name: string, help: string, read: (info: Info) => number | undefined): void => {
    new Gauge({
      name: `hubbub_redis_${name}`,
      help,
      ...common,
      async collect() {
        const infos = await ask();
        // A server that is unavailable, too old for this field, or no longer there has no value: better than an old one.
        this.reset();
        for (const info of infos) {
          const value = read(info);
          if (value !== undefined) this.set({ server: info.server }, value);
        }
      },
    });
  };
  gauge('up', '1 if Redis answered presence at this scrape, else 0.', ({ answered }) => (answered ? 1 : 0));
  gauge(
    'answer_seconds',
    'Time that Redis took to answer presence at this scrape.',
    ({ answerSeconds }) => answerSeconds,
  );
  for (const [name, help, ...fields] of GAUGES) gauge(name, help, info => info.sum(fields));
  for (const [name, help, ...fields] of COUNTERS) {
    new Counter({
      name: `hubbub_redis_${name}`,
      help,
      ...common,
      async collect() {
        const infos = await ask();
        // Absent and not 0, which would look like a restart.
        this.reset();
        for (const info of infos) {
          const value = info.sum(fields);
          if (value !== undefined) this.inc({ server: info.server }, value);
        }
      },
    });
  }
}

class Info {
  constructor(
    readonly server: string,
    readonly answered: boolean,
    readonly answerSeconds: number | undefined,
    private readonly text: string,
  ) {}

  /** `undefined` if INFO lacks one of them. */
  sum(fields: readonly string[]): number | undefined {
    let sum = 0;
    for (const field of fields) sum += this.#number(field) ?? Number.NaN;
    return Number.isNaN(sum) ? undefined : sum;
  }

  #number(field: string): number | undefined {
    const found = new RegExp(`^${field}:([\\d.]+)\\r?$`, 'm').exec(this.text)?.[1];
    return found === undefined ? undefined : Number(found);
  }
}

async function readInfo({ name, commands }: RedisShard): Promise<Info> {
  const startedAtMs = performance.now();
  const seconds = (): number => (performance.now() - startedAtMs) / 1000;
  try {
    return new Info(name, true, seconds(), await commands.info());
  } catch (error) {
    // If INFO is forbidden, Redis still answers; otherwise it does not, which the caller shows as 0.
    const refused = error instanceof Error && error.name === 'ReplyError';
    return new Info(name, refused, refused ? seconds() : undefined, '');
  }
}
