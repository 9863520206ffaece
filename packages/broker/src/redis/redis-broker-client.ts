/** The broker client of a cluster on Redis. */
import { DEFAULT_PARTITIONS } from '@hubbub/protocol';
import type { BrokerClient } from '../broker-client.js';
import type { AcknowledgedLoss } from '../history.js';
import { openRedisTopology, type RedisTopologyOptions } from './open-topology.js';
import { RedisBroker } from './redis-broker.js';
import { RedisEventLog } from './redis-event-log.js';
import { RedisHistory } from './redis-history.js';
import { RedisLifecycleLog } from './redis-lifecycle-log.js';
import { RedisNamespaceDirectory } from './redis-namespace-directory.js';
import { RedisNodeLeases } from './redis-node-leases.js';
import { RedisOnlineCounter } from './redis-online-counter.js';
import { RedisReportLog } from './redis-report-log.js';

export interface RedisBrokerClientOptions extends RedisTopologyOptions {
  readonly prefix: string;
  /** The same for all processes of a cluster. */
  readonly nodeLeaseMs: number;
  /** HUBBUB_PRESENCE_PARTITIONS: the number of lifecycle streams. Default 16. */
  readonly presencePartitions?: number;
  /** Called for each room of which Redis, after it returned with older data, lacks messages that this client appended. */
  readonly onAcknowledgedLoss?: (loss: AcknowledgedLoss) => void;
}

/** Returns immediately and connects in the background: until Redis answers, everything rejects with `UNAVAILABLE`. */
export function openRedisBrokerClient(url: string, options: RedisBrokerClientOptions): BrokerClient {
  const { prefix, onAcknowledgedLoss } = options;
  const redis = openRedisTopology(url, options);
  const broker = new RedisBroker(redis);
  const partitions = options.presencePartitions ?? DEFAULT_PARTITIONS;
  return {
    broker,
    history: new RedisHistory({ redis, prefix, onAcknowledgedLoss }),
    reports: new RedisReportLog({ redis, prefix }),
    events: new RedisEventLog({ redis, prefix }),
    lifecycle: new RedisLifecycleLog({ redis, prefix, partitions }),
    namespaces: new RedisNamespaceDirectory({ redis, prefix }),
    leases: new RedisNodeLeases({ redis, prefix, leaseMs: options.nodeLeaseMs }),
    online: new RedisOnlineCounter({ redis, prefix }),
    close: () => broker.close(),
  };
}
