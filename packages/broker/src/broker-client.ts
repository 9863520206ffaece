/** Everything that the processes of a cluster share, as one part of a process sees it. */
import type { Broker } from './broker.js';
import type { EventLog } from './event-log.js';
import type { History } from './history.js';
import type { LifecycleLog } from './lifecycle-log.js';
import type { NamespaceDirectory } from './namespace-directory.js';
import type { NodeLeases } from './node-leases.js';
import type { OnlineCounter } from './online-counter.js';
import type { ReportLog } from './report-log.js';
import type { RevocationLog } from './revocation-log.js';

/** Each part of a process opens its own: a broker has one listener. */
export interface BrokerClient {
  readonly broker: Broker;
  readonly history: History;
  readonly reports: ReportLog;
  readonly events: EventLog;
  readonly lifecycle: LifecycleLog;
  readonly namespaces: NamespaceDirectory;
  readonly revocations: RevocationLog;
  readonly leases: NodeLeases;
  readonly online: OnlineCounter;
  close(): Promise<void>;
}
