/** The presence service: the only writer of the registry of connected users. */
export { INSTANCE_LEASE_MS, type InstanceLeases, type Membership } from './instance-leases.js';
export { MemoryInstanceLeases } from './memory/memory-instance-leases.js';
export { MemoryPartitionStore } from './memory/memory-partition-store.js';
export { createMemoryPresence, type MemoryPresenceOptions } from './memory/memory-presence.js';
export { MemoryRegistryReader } from './memory/memory-registry-reader.js';
export type { KeepMembers, NamespaceRules, PresenceRules } from './partition/rules.js';
export type { PartitionStore } from './partition-store.js';
export { RedisInstanceLeases } from './redis/redis-instance-leases.js';
export { RedisPartitionStore } from './redis/redis-partition-store.js';
export { createRedisPresence, type RedisPresenceOptions } from './redis/redis-presence.js';
export { RedisRegistryReader, type RedisRegistryReaderOptions } from './redis/redis-registry-reader.js';
export type { RegistryReader } from './registry-reader.js';
export { type Presence, type PresenceOptions, startPresence } from './start-presence.js';
