/** Presence within one process, without Redis. */
import { DEFAULT_PARTITIONS, type LifecycleEvent } from '@hubbub/protocol';
import { type Presence, type PresenceOptions, startPresence } from '../start-presence.js';
import { MemoryInstanceLeases } from './memory-instance-leases.js';
import { MemoryPartitionStore } from './memory-partition-store.js';
import { MemoryRegistryReader } from './memory-registry-reader.js';

export interface MemoryPresenceOptions
  extends Pick<
    PresenceOptions,
    'prefix' | 'partitions' | 'log' | 'nodeLeases' | 'onlineCounter' | 'rules' | 'apiKeys' | 'logger' | 'metrics'
  > {
  /** Hands an envelope to the broker of the process; must not throw. */
  publish(channel: string, envelope: Uint8Array): void;
  /** Hands an event to the services of the process; must not throw. Default: drops it. */
  notifyServices?(event: LifecycleEvent): void;
}

/**
 * @example
 * const exchange = new MemoryExchange();
 * const broker = exchange.connect();
 * const log = new MemoryReportLog(); // the same one that the edge's reporter appends to
 * createMemoryPresence({ prefix, log, nodeLeases, onlineCounter, logger, metrics, publish: (c, e) => void broker.publish(c, e) });
 */
export function createMemoryPresence({
  publish,
  notifyServices = () => {},
  ...options
}: MemoryPresenceOptions): Presence {
  const store = new MemoryPartitionStore(publish, notifyServices);
  return startPresence({
    ...options,
    instance: 'memory',
    instanceLeases: new MemoryInstanceLeases(),
    store,
    registry: new MemoryRegistryReader(store, options.partitions ?? DEFAULT_PARTITIONS),
  });
}
