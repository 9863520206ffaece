/** The broker client of a cluster on Redis. */
import { DEFAULT_PARTITIONS } from '@hubbub/protocol';
import type { BrokerClient } from '../broker-client.js';
import type { AcknowledgedLoss } from '../history.js';
import { LeaseThread } from './lease-thread.js';
import { openRedisTopologies, type RedisTopologyOptions } from './open-topology.js';
import { RedisBroker } from './redis-broker.js';
import { RedisEventLog } from './redis-event-log.js';
import { RedisHistory } from './redis-history.js';
import { RedisLifecycleLog } from './redis-lifecycle-log.js';
import { RedisNamespaceDirectory } from './redis-namespace-directory.js';
import { RedisNodeLeases } from './redis-node-leases.js';
import { RedisOnlineCounter } from './redis-online-counter.js';
import { RedisReportLog } from './redis-report-log.js';
import { RedisRevocationLog } from './redis-revocation-log.js';
import type { WaitOutcome } from './replica-wait.js';

export interface RedisBrokerClientOptions extends RedisTopologyOptions {
  /** Of presence and of client events, if they have a Redis of their own. Default: that of the rooms. */
  readonly registryUrl?: string | undefined;
  readonly prefix: string;
  /** The same for all processes of a cluster. */
  readonly nodeLeaseMs: number;
  /** HUBBUB_PRESENCE_PARTITIONS: the number of lifecycle streams. Default 16. */
  readonly presencePartitions?: number;
  /** The most revocations of the cluster. Default 100,000. */
  readonly maxRevocations?: number | undefined;
  /** How long a durable append waits for a replica. Default 1,000. */
  readonly durableTimeoutMs?: number;
  /** Called after each wait for a replica. */
  readonly onDurableWait?: (outcome: WaitOutcome) => void;
  /** Called for each room of which Redis, after it returned with older data, lacks messages that this client appended. */
  readonly onAcknowledgedLoss?: (loss: AcknowledgedLoss) => void;
}

/** Returns immediately and connects in the background: until Redis answers, everything rejects with `UNAVAILABLE`. */
export function openRedisBrokerClient(url: string, options: RedisBrokerClientOptions): BrokerClient {
  const {
    prefix,
    durableTimeoutMs,
    onDurableWait,
    onAcknowledgedLoss,
    registryUrl,
    nodeLeaseMs: leaseMs,
    certificates,
    commandTimeoutMs,
    onError,
  } = options;
  const redis = openRedisTopologies(url, registryUrl, options);
  const ofRooms = { redis: redis.rooms, prefix };
  const ofRegistry = { redis: redis.registry, prefix };
  const thread = { url: registryUrl ?? url, prefix, leaseMs, commandTimeoutMs, certificates, onError };
  const partitions = options.presencePartitions ?? DEFAULT_PARTITIONS;
  const broker = new RedisBroker(redis.rooms);
  return {
    broker,
    history: new RedisHistory({ ...ofRooms, durableTimeoutMs, onDurableWait, onAcknowledgedLoss }),
    namespaces: new RedisNamespaceDirectory(ofRooms),
    revocations: new RedisRevocationLog({ ...ofRooms, max: options.maxRevocations }),
    reports: new RedisReportLog(ofRegistry),
    events: new RedisEventLog(ofRegistry),
    lifecycle: new RedisLifecycleLog({ ...ofRegistry, partitions }),
    leases: new RedisNodeLeases({ ...ofRegistry, leaseMs, openKeeper: () => new LeaseThread(thread) }),
    online: new RedisOnlineCounter(ofRegistry),
    async close() {
      await broker.close();
      redis.close();
    },
  };
}
