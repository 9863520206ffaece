/** Opens the Redis that a URL names. */
/// <reference path="./cluster-key-slot.d.ts" />
import { isSameRedis, parseRedisLocation } from '@hubbub/protocol';
import slotOf from 'cluster-key-slot';
import type { Redis } from 'ioredis';
import { ClusterTopology, SLOTS } from './cluster-topology.js';
import { connected } from './connection.js';
import { jumpHash } from './jump-hash.js';
import { type RedisServer, serverAt } from './redis-server.js';
import { SentinelWatcher } from './sentinel.js';
import { ServerShard, type ServerShardOptions } from './server-shard.js';
import type { RedisShard, RedisTopology } from './topology.js';

export type RedisTopologyOptions = ServerShardOptions;

/**
 * Returns immediately and connects in the background.
 * @throws {TypeError} as {@link parseRedisLocation}
 */
export function openRedisTopology(url: string, options: RedisTopologyOptions): RedisTopology {
  const location = parseRedisLocation(url);
  switch (location.topology) {
    case 'standalone':
      return new FixedTopology([serverAt(location.server, options.certificates)], options);
    case 'shards':
      return new FixedTopology(
        location.servers.map(server => serverAt(server, options.certificates)),
        options,
      );
    case 'sentinel': {
      const watcher = new SentinelWatcher(location, {
        ...options,
        onSwitch: () => topology.drop(),
      });
      const topology = new FixedTopology([watcher.server], options, () => watcher.close());
      return topology;
    }
    case 'cluster':
      return new ClusterTopology(location, options);
  }
}

/** The two Redis of a cluster; they may be one. */
export interface RedisTopologies {
  /** Pub/sub, histories, controls, and the directory of namespaces: what messages need. */
  readonly rooms: RedisTopology;
  /** The registry of presence, its reports and leases, client events and lifecycle events. */
  readonly registry: RedisTopology;
  close(): void;
}

/**
 * Opens one topology if both URLs name the same Redis.
 * @param registryUrl default: that of the rooms
 * @throws {TypeError} as {@link parseRedisLocation}
 */
export function openRedisTopologies(
  url: string,
  registryUrl: string | undefined,
  options: RedisTopologyOptions,
): RedisTopologies {
  const isOne = registryUrl === undefined || isSameRedis(url, registryUrl);
  const rooms = openRedisTopology(url, options);
  const registry = isOne ? rooms : openRedisTopology(registryUrl, options);
  return {
    rooms,
    registry,
    close() {
      rooms.close();
      if (registry !== rooms) registry.close();
    },
  };
}

/** A fixed number of shards. The slot of a name, as in Redis Cluster, decides. */
class FixedTopology implements RedisTopology {
  readonly isSharded = false;
  isClosed = false;
  readonly shards: readonly ServerShard[];
  readonly #shardOfSlot: readonly ServerShard[];
  readonly #onClose: () => void;

  constructor(servers: readonly RedisServer[], options: ServerShardOptions, onClose = (): void => {}) {
    this.shards = servers.map(server => new ServerShard(server, options));
    const slots = servers.length === 1 ? 0 : SLOTS;
    this.#shardOfSlot = Array.from({ length: slots }, (_, slot) => this.#shard(jumpHash(slot, servers.length)));
    this.#onClose = onClose;
  }

  shardOf(name: string): RedisShard {
    return this.shards.length === 1 ? this.#shard(0) : (this.#shardOfSlot[slotOf(name)] as ServerShard);
  }

  onShard(listener: (shard: RedisShard) => void): void {
    for (const shard of this.shards) listener(shard);
  }

  /** A name stays where it is. */
  onMove(): void {}

  async refresh(): Promise<void> {}

  run<Result>(name: string, command: (redis: Redis) => Promise<Result>): Promise<Result> {
    return command(this.shardOf(name).commands);
  }

  async connected(withinMs: number): Promise<void> {
    await Promise.all(this.shards.map(({ commands }) => connected(commands, withinMs)));
  }

  /** Drops all connections: the address of the server has changed. */
  drop(): void {
    for (const shard of this.shards) shard.drop();
  }

  close(): void {
    this.isClosed = true;
    for (const shard of this.shards) shard.close();
    this.#onClose();
  }

  #shard(index: number): ServerShard {
    return this.shards[index] as ServerShard;
  }
}
