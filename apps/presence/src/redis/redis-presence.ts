/** Presence on Redis. */
import { RedisNodeLeases, RedisOnlineCounter, RedisReportLog, type RedisTopology } from '@hubbub/broker';
import { DEFAULT_PARTITIONS } from '@hubbub/protocol';
import { type MetricsRegistry, metricsKit } from '@hubbub/runtime';
import { type Presence, type PresenceOptions, startPresence } from '../start-presence.js';
import { observeRedis } from './redis-info-metrics.js';
import { RedisInstanceLeases } from './redis-instance-leases.js';
import { RedisPartitionStore } from './redis-partition-store.js';
import { RedisRegistryReader } from './redis-registry-reader.js';

export interface RedisPresenceOptions
  extends Pick<
    PresenceOptions,
    'instance' | 'wireVersionMax' | 'prefix' | 'partitions' | 'rules' | 'apiKeys' | 'logger' | 'metrics'
  > {
  /** Of the registry, the reports and the leases. Stays the caller's: close it after `close()`. */
  readonly redis: RedisTopology;
  /** Carries the messages to rooms and nodes. Default: `redis`. */
  readonly rooms?: RedisTopology;
  /** Default 8,000. The same for all edges and presence instances. */
  readonly nodeLeaseMs?: number;
  /** Default 5,000; two seconds or more, it is renewed every second. The same for all presence instances. */
  readonly instanceLeaseMs?: number;
}

export function createRedisPresence({
  redis,
  rooms = redis,
  nodeLeaseMs,
  instanceLeaseMs,
  ...options
}: RedisPresenceOptions): Presence {
  const { prefix, partitions = DEFAULT_PARTITIONS } = options;
  observeRedis(options.metrics, [...new Set([rooms, redis])]);
  return startPresence({
    ...options,
    log: new RedisReportLog({ redis, prefix }),
    nodeLeases: new RedisNodeLeases({ redis, prefix, ...(nodeLeaseMs !== undefined && { leaseMs: nodeLeaseMs }) }),
    onlineCounter: new RedisOnlineCounter({ redis, prefix }),
    instanceLeases: new RedisInstanceLeases({
      redis,
      prefix,
      ...(instanceLeaseMs !== undefined && { leaseMs: instanceLeaseMs }),
    }),
    registry: new RedisRegistryReader({ redis, prefix, partitions }),
    store: new RedisPartitionStore({ redis, rooms, prefix, onLost: countLost(options.metrics) }),
  });
}

function countLost(registry: MetricsRegistry): (count: number) => void {
  const { counter } = metricsKit(registry);
  return counter(
    'hubbub_redis_presence_messages_lost_total',
    'Messages of presence that were dropped, because the Redis server of their room did not answer.',
  );
}
