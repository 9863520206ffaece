/** Starts one instance of the presence service on whatever carries its log, its leases and its registry. */
import type { NodeLeases, OnlineCounter, ReportLog } from '@hubbub/broker';
import { advertiseVersion, Channels, DEFAULT_PARTITIONS, WIRE_VERSION } from '@hubbub/protocol';
import type { Logger, MetricsRegistry } from '@hubbub/runtime';
import type { AdminRoutes } from '@hubbub/runtime/http';
import type { InstanceLeases } from './instance-leases.js';
import { createPresenceMetrics } from './metrics.js';
import { Owner } from './owner.js';
import { DEFAULT_RULES, type PresenceRules } from './partition/rules.js';
import type { PartitionStore } from './partition-store.js';
import type { RegistryReader } from './registry-reader.js';
import { presenceRoutes } from './routes.js';

export interface PresenceOptions {
  /** Unique in the cluster and new with each start: what an instance owned before it crashed, it does not own after. */
  readonly instance: string;
  /** The highest wire version that this instance advertises. Default: that of this release. */
  readonly wireVersionMax?: number;
  readonly prefix: string;
  /** Default 16; the same for all processes of the cluster. */
  readonly partitions?: number;
  readonly log: ReportLog;
  readonly nodeLeases: NodeLeases;
  readonly instanceLeases: InstanceLeases;
  readonly store: PartitionStore;
  /** Reads what `store` writes. */
  readonly registry: RegistryReader;
  readonly onlineCounter: OnlineCounter;
  /** Open the HTTP interface. Default: none, it is closed. */
  readonly apiKeys?: readonly string[];
  /** Default: presence on everywhere, 5 s of grace, 100 users a page, counts above 500 users. */
  readonly rules?: Partial<PresenceRules>;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
}

export interface Presence {
  /** Whether the last round succeeded. */
  readonly healthy: boolean;
  /** Partitions owned at the moment. */
  readonly partitionsOwned: number;
  /** The HTTP interface, for the admin server. */
  readonly routes: AdminRoutes;
  /** Hands over what it owns; another instance takes it within about a second. */
  close(): Promise<void>;
}

/** Returns immediately; partitions are claimed in the background, for as long as it takes. */
export function startPresence(options: PresenceOptions): Presence {
  const owner = new Owner({
    instance: advertiseVersion(options.instance, options.wireVersionMax ?? WIRE_VERSION),
    partitions: options.partitions ?? DEFAULT_PARTITIONS,
    channels: new Channels(options.prefix),
    rules: { ...DEFAULT_RULES, ...options.rules },
    metrics: createPresenceMetrics(options.metrics, options.logger),
    log: options.log,
    nodeLeases: options.nodeLeases,
    instanceLeases: options.instanceLeases,
    onlineCounter: options.onlineCounter,
    store: options.store,
  });
  const ended = owner.run();
  const { registry, onlineCounter, nodeLeases, apiKeys = [] } = options;
  return {
    routes: presenceRoutes({ registry, onlineCounter, nodeLeases, apiKeys }),
    get healthy() {
      return owner.healthy;
    },
    get partitionsOwned() {
      return owner.owned.size;
    },
    async close() {
      owner.stop();
      await ended;
    },
  };
}
