/** The broker between Hubbub's processes, in memory and on Redis. */

export type { Broker, Interruption, PublishedOnce } from './broker.js';
export type { BrokerClient } from './broker-client.js';
export type { ConsumerGroup } from './consumer-group.js';
export {
  DEAD_LETTERS_MAX,
  type DeadLetter,
  type EventAppend,
  type EventAppended,
  type EventBacklog,
  type EventEntry,
  type EventGroup,
  type EventLog,
  MALFORMED,
} from './event-log.js';
export {
  type AcknowledgedLoss,
  type Appended,
  type History,
  type HistoryAppend,
  type HistoryEntry,
  type HistoryPage,
  type HistoryQuery,
  IDEMPOTENCY_WINDOW_MS,
  locate,
  POSITION_TTL_FACTOR,
} from './history.js';
export { type EntryPage, type PageQuery, readPage } from './history-page.js';
export { Interest } from './interest.js';
export {
  LIFECYCLE_KEPT_MAX,
  type LifecycleEntry,
  type LifecycleGroup,
  type LifecycleLetter,
  type LifecycleLog,
} from './lifecycle-log.js';
export { MemoryExchange } from './memory/memory-broker.js';
export { MemoryCluster } from './memory/memory-cluster.js';
export { MemoryEventLog } from './memory/memory-event-log.js';
export { MemoryHistory } from './memory/memory-history.js';
export { MemoryNamespaceDirectory } from './memory/memory-namespace-directory.js';
export { MemoryNodeLeases, type MemoryNodeLeasesOptions } from './memory/memory-node-leases.js';
export { MemoryOnlineCounter } from './memory/memory-online-counter.js';
export { MemoryReportLog, type MemoryReportLogOptions } from './memory/memory-report-log.js';
export { MemoryRevocationLog } from './memory/memory-revocation-log.js';
export { type NamespaceDirectory, type NamespacePublishing, UNCONFIGURED_NAMESPACE } from './namespace-directory.js';
export {
  CHECK_INTERVAL_MS,
  DEFAULT_NODE_LEASE_MS,
  type LeaseKeeper,
  type NodeLease,
  type NodeLeases,
  type WireVersions,
  wireHoldMs,
} from './node-leases.js';
export { ONLINE_TOTAL_MAX_AGE_MS, type OnlineCount, type OnlineCounter } from './online-counter.js';
export { publishKept, publishOnce } from './redis/kept-envelopes.js';
export {
  openRedisTopologies,
  openRedisTopology,
  type RedisTopologies,
  type RedisTopologyOptions,
} from './redis/open-topology.js';
export { RedisBroker } from './redis/redis-broker.js';
export { openRedisBrokerClient, type RedisBrokerClientOptions } from './redis/redis-broker-client.js';
export { type RedisCertificateFiles, readRedisCertificates } from './redis/redis-certificates.js';
export { RedisEventLog, type RedisEventLogOptions } from './redis/redis-event-log.js';
export { RedisHistory, type RedisHistoryOptions } from './redis/redis-history.js';
export { RedisNamespaceDirectory, type RedisNamespaceDirectoryOptions } from './redis/redis-namespace-directory.js';
export { RedisNodeLeases, type RedisNodeLeasesOptions } from './redis/redis-node-leases.js';
export { RedisOnlineCounter, type RedisOnlineCounterOptions } from './redis/redis-online-counter.js';
export { RedisReportLog, type RedisReportLogOptions } from './redis/redis-report-log.js';
export { RedisRevocationLog, type RedisRevocationLogOptions } from './redis/redis-revocation-log.js';
export { RedisScript, type ScriptArgument } from './redis/redis-script.js';
export { nodesKey, onlineKey, partitionKey, REGISTRY_TTL_MS } from './redis/registry-keys.js';
export type { WaitOutcome } from './redis/replica-wait.js';
export type { RedisShard, RedisTopology } from './redis/topology.js';
export { orUnavailable } from './redis/unavailable.js';
export {
  type AppendNumber,
  type AppendResult,
  earlierPosition,
  LOG_START,
  type LogAppend,
  type LogEntry,
  type LogPosition,
  type ReadOptions,
  type ReportLog,
} from './report-log.js';
export {
  REVOCATION_READ_INTERVAL_MS,
  RevocationFollower,
  type RevocationFollowerOptions,
} from './revocation-follower.js';
export {
  DEFAULT_MAX_REVOCATIONS,
  type RevocationChange,
  type RevocationLog,
  type RevocationPage,
  WITHDRAWAL_TTL_MS,
} from './revocation-log.js';
