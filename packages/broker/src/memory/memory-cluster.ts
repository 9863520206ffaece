/** The broker client of one process without Redis: every part opened from the same cluster sees the others. */
import type { BrokerClient } from '../broker-client.js';
import { MemoryExchange } from './memory-broker.js';
import { MemoryEventLog } from './memory-event-log.js';
import { MemoryHistory } from './memory-history.js';
import { MemoryLifecycleLog } from './memory-lifecycle-log.js';
import { MemoryNamespaceDirectory } from './memory-namespace-directory.js';
import { MemoryNodeLeases, type MemoryNodeLeasesOptions } from './memory-node-leases.js';
import { MemoryOnlineCounter } from './memory-online-counter.js';
import { MemoryReportLog } from './memory-report-log.js';
import { MemoryRevocationLog } from './memory-revocation-log.js';

export interface MemoryClusterOptions extends MemoryNodeLeasesOptions {
  /** Default 100,000. */
  readonly maxRevocations?: number;
}

/**
 * A cluster that lives in this process.
 * @example
 * const cluster = new MemoryCluster();
 * await startEdge({ config, log, metrics, brokerClient: cluster.open() });
 */
export class MemoryCluster {
  readonly #exchange = new MemoryExchange();
  readonly #history = new MemoryHistory(this.#exchange);
  readonly #reports = new MemoryReportLog();
  readonly #events = new MemoryEventLog();
  /** Presence writes here. */
  readonly lifecycle = new MemoryLifecycleLog();
  readonly #namespaces = new MemoryNamespaceDirectory();
  readonly #online = new MemoryOnlineCounter();
  readonly #revocations: MemoryRevocationLog;
  readonly #leases: MemoryNodeLeases;

  constructor({ maxRevocations, ...options }: MemoryClusterOptions = {}) {
    this.#revocations = new MemoryRevocationLog(maxRevocations);
    this.#leases = new MemoryNodeLeases(options);
  }

  open(): BrokerClient {
    const broker = this.#exchange.connect();
    return {
      broker,
      history: this.#history,
      reports: this.#reports,
      events: this.#events,
      lifecycle: this.lifecycle,
      namespaces: this.#namespaces,
      revocations: this.#revocations,
      leases: this.#leases,
      online: this.#online,
      close: () => broker.close(),
    };
  }
}
