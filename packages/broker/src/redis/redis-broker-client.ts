/** The broker client of a cluster on Redis. */
import { DEFAULT_PARTITIONS } from '@hubbub/protocol';
import type { BrokerClient } from '../broker-client.js';
import { openRedisConnection } from './connection.js';
import { ConnectionGroup } from './connection-group.js';
import { createRedisBroker } from './redis-broker.js';
import { RedisEventLog } from './redis-event-log.js';
import { RedisHistory } from './redis-history.js';
import { RedisLifecycleLog } from './redis-lifecycle-log.js';
import { RedisNamespaceDirectory } from './redis-namespace-directory.js';
import { RedisNodeLeases } from './redis-node-leases.js';
import { RedisOnlineCounter } from './redis-online-counter.js';
import { RedisReportLog } from './redis-report-log.js';

export interface RedisBrokerClientOptions {
  readonly prefix: string;
  /** A Redis that does not answer for this time counts as away. */
  readonly commandTimeoutMs: number;
  /** The same for all processes of a cluster. */
  readonly nodeLeaseMs: number;
  /** HUBBUB_PRESENCE_PARTITIONS: the number of lifecycle streams. Default 16. */
  readonly presencePartitions?: number;
  /** As of a connection. Default false. */
  readonly waitForConnection?: boolean;
  /** Called on each failure of a connection; all of them are retried until `close`. */
  readonly onError: (error: Error) => void;
}

/** Returns immediately and connects in the background: until Redis answers, everything rejects with `UNAVAILABLE`. */
export function openRedisBrokerClient(url: string, options: RedisBrokerClientOptions): BrokerClient {
  const { prefix, commandTimeoutMs, waitForConnection = false, onError } = options;
  const group = new ConnectionGroup();
  const connection = { commandTimeoutMs, waitForConnection, onError, group };
  const broker = createRedisBroker(url, { ...connection, prefix });
  const commands = openRedisConnection(url, { ...connection, autoPipelining: true });
  const openReader = () => openRedisConnection(url, { onError, group });
  const events = new RedisEventLog({ commands, openReader, prefix });
  const partitions = options.presencePartitions ?? DEFAULT_PARTITIONS;
  const lifecycle = new RedisLifecycleLog({ commands, openReader, prefix, partitions });
  return {
    broker,
    history: new RedisHistory({ commands, prefix }),
    reports: new RedisReportLog({ commands, prefix }),
    events,
    lifecycle,
    namespaces: new RedisNamespaceDirectory({ commands, prefix }),
    leases: new RedisNodeLeases({ commands, prefix, leaseMs: options.nodeLeaseMs }),
    online: new RedisOnlineCounter({ commands, prefix }),
    async close() {
      await broker.close();
      events.close();
      lifecycle.close();
      commands.disconnect();
    },
  };
}
