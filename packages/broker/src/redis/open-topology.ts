/** Opens the Redis that a URL names. */
import { parseRedisUrl } from '@hubbub/protocol';
import { connected } from './connection.js';
import { serverAt } from './redis-server.js';
import { ServerShard, type ServerShardOptions } from './server-shard.js';
import type { RedisTopology } from './topology.js';

export type RedisTopologyOptions = ServerShardOptions;

/**
 * Returns immediately and connects in the background.
 * @throws {TypeError} as {@link parseRedisUrl}
 */
export function openRedisTopology(url: string, options: RedisTopologyOptions): RedisTopology {
  const shard = new ServerShard(serverAt(parseRedisUrl(url)), options);
  return {
    shards: [shard],
    shardOf: () => shard,
    run: (_, commands) => commands(shard.commands),
    connected: withinMs => connected(shard.commands, withinMs),
    close: () => shard.close(),
  };
}
