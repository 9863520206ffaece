/** Presence as the configuration wants it: in a process of its own on Redis, or beside the edge in memory. */
import { randomBytes } from 'node:crypto';
import { type BrokerClient, type MemoryCluster, openRedisTopologies } from '@hubbub/broker';
import { type Config, namespaceSettings } from '@hubbub/config';
import { createMemoryPresence, createRedisPresence, type Presence, type PresenceRules } from '@hubbub/presence';
import type { ProcessParts } from './process.js';
import { logRedisFailures, redisConnection } from './redis.js';

/** Presence on Redis, with connections of its own that it closes itself. */
export async function startRedisPresence(
  url: string,
  { config, log, metrics }: ProcessParts,
): Promise<Pick<Presence, 'healthy' | 'routes' | 'close'>> {
  const onError = logRedisFailures(log, metrics);
  const { rooms, registry, close } = openRedisTopologies(url, config.registryRedisUrl, {
    ...redisConnection(config),
    onError,
  });
  // Without Redis it starts nevertheless, logs the failure, and retries.
  await registry.connected(config.redisCommandTimeoutMs).catch(onError);
  const presence = createRedisPresence({
    // New with each start: what this node owned before a crash it does not own after.
    instance: `${config.nodeId}/${randomBytes(4).toString('hex')}`,
    wireVersionMax: config.wireVersionMax,
    prefix: config.redisPrefix,
    partitions: config.presencePartitions,
    nodeLeaseMs: config.nodeLeaseMs,
    rules: presenceRules(config),
    apiKeys: config.presenceApiKeys,
    logger: log,
    metrics,
    redis: registry,
    rooms,
  });
  return {
    routes: presence.routes,
    get healthy() {
      return presence.healthy;
    },
    async close() {
      await presence.close();
      close();
    },
  };
}

/** Presence beside the edge; the broker client stays the caller's. */
export function startMemoryPresence(
  cluster: MemoryCluster,
  brokerClient: BrokerClient,
  { config, log, metrics }: ProcessParts,
): Presence {
  return createMemoryPresence({
    prefix: config.redisPrefix,
    partitions: config.presencePartitions,
    log: brokerClient.reports,
    nodeLeases: brokerClient.leases,
    onlineCounter: brokerClient.online,
    rules: presenceRules(config),
    apiKeys: config.presenceApiKeys,
    // One process begins empty and owns everything at each start: no news.
    logger: {
      debug: log.debug,
      info: (fields, message) => log.debug?.(fields, message),
      warn: (fields, message) => log.warn(fields, message),
      error: (fields, message) => log.error(fields, message),
    },
    metrics,
    // In memory a publish fails only when the process is ending.
    publish: (channel, envelope) => void brokerClient.broker.publish(channel, envelope).catch(() => {}),
    notifyServices: event => cluster.lifecycle.append(event),
  });
}

function presenceRules({ namespaces, ...config }: Config): Partial<PresenceRules> {
  return {
    rosterPageSize: config.rosterPageSize,
    countThreshold: config.rosterCountThreshold,
    countIntervalMs: config.rosterCountIntervalMs,
    maxSessionsPerUser: config.maxSessionsPerUser,
    maxKeptRoomsPerUser: config.maxKeptRoomsPerUser,
    namespace(name) {
      const { presence, leaveGraceMs, memberEvents, keepMembers } = namespaceSettings(namespaces, name);
      return { presence, leaveGraceMs, memberEvents, ...(keepMembers !== undefined && { keepMembers }) };
    },
  };
}
