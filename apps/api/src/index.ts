/** The HTTP API for back ends that have no Redis access. */
export type { KeyClaims } from './key-claims.js';
export { openRedisKeyClaims, type RedisKeyClaimsOptions } from './redis/redis-key-claims.js';
export { type Api, type ApiOptions, startApi } from './start-api.js';
