/** Presence on Redis. */
import { RedisNodeLeases, RedisOnlineCounter, RedisReportLog } from '@hubbub/broker';
import { DEFAULT_PARTITIONS } from '@hubbub/protocol';
import type { Redis } from 'ioredis';
import { type Presence, type PresenceOptions, startPresence } from '../start-presence.js';
import { observeRedis } from './redis-info-metrics.js';
import { RedisInstanceLeases } from './redis-instance-leases.js';
import { RedisPartitionStore } from './redis-partition-store.js';
import { RedisRegistryReader } from './redis-registry-reader.js';

export interface RedisPresenceOptions
  extends Pick<PresenceOptions, 'instance' | 'prefix' | 'partitions' | 'rules' | 'apiKeys' | 'logger' | 'metrics'> {
  /** For commands; with a command timeout, so that a Redis that does not answer is noticed. */
  readonly commands: Redis;
  /** For reading the log, which blocks it: without a command timeout, and used by nobody else. */
  readonly reader: Redis;
  /** Default 8,000. The same for all edges and presence instances. */
  readonly nodeLeaseMs?: number;
  /** Default 5,000; two seconds or more, it is renewed every second. The same for all presence instances. */
  readonly instanceLeaseMs?: number;
}

/** The connections stay the caller's: close them after `close()`. */
export function createRedisPresence({
  commands,
  reader,
  nodeLeaseMs,
  instanceLeaseMs,
  ...options
}: RedisPresenceOptions): Presence {
  const { prefix, partitions = DEFAULT_PARTITIONS } = options;
  observeRedis(options.metrics, commands);
  return startPresence({
    ...options,
    log: new RedisReportLog({ commands, reader, prefix }),
    nodeLeases: new RedisNodeLeases({ commands, prefix, ...(nodeLeaseMs !== undefined && { leaseMs: nodeLeaseMs }) }),
    onlineCounter: new RedisOnlineCounter({ commands, prefix }),
    instanceLeases: new RedisInstanceLeases({
      commands,
      prefix,
      ...(instanceLeaseMs !== undefined && { leaseMs: instanceLeaseMs }),
    }),
    registry: new RedisRegistryReader({ commands, prefix, partitions }),
    store: new RedisPartitionStore({ commands, prefix }),
  });
}
