/** The bus between Hubbub's processes, in memory and on Redis. */
export type { Broker, Interruption } from './broker.js';
export { Interest } from './interest.js';
export { MemoryBus } from './memory/memory-broker.js';
export { connected, openRedisConnection, type RedisConnectionOptions } from './redis/connection.js';
export { createRedisBroker, type RedisBrokerOptions } from './redis/redis-broker.js';
