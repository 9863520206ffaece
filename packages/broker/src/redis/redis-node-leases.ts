/** Leases of edges in Redis, by the clock of Redis. */
import { DEFAULT_NODE_LEASE_MS, type NodeLease, type NodeLeases, type Reaping } from '../node-leases.js';
import { RedisScript } from './redis-script.js';
import { nodesKey, REGISTRY_TTL_MS } from './registry-keys.js';
import type { RedisTopology } from './topology.js';
import { orUnavailable } from './unavailable.js';

const registerScript = new RedisScript(new URL('../../lua/node-register.lua', import.meta.url));
const renewScript = new RedisScript(new URL('../../lua/node-renew.lua', import.meta.url));
const reapScript = new RedisScript(new URL('../../lua/node-reap.lua', import.meta.url));
const livingScript = new RedisScript(new URL('../../lua/node-living.lua', import.meta.url));

export interface RedisNodeLeasesOptions {
  readonly redis: RedisTopology;
  readonly prefix: string;
  /** Default 8,000. The same for all processes of a cluster. */
  readonly leaseMs?: number;
}

export class RedisNodeLeases implements NodeLeases {
  readonly leaseMs: number;
  readonly #redis: RedisTopology;
  readonly #alive: string;
  readonly #dead: string;

  constructor(options: RedisNodeLeasesOptions) {
    this.leaseMs = options.leaseMs ?? DEFAULT_NODE_LEASE_MS;
    this.#redis = options.redis;
    this.#alive = nodesKey(options.prefix, 'alive');
    this.#dead = nodesKey(options.prefix, 'dead');
  }

  async register(incarnation: string): Promise<void> {
    const args = [incarnation, this.leaseMs, REGISTRY_TTL_MS];
    await orUnavailable(() => registerScript.run(this.#redis, [this.#alive, this.#dead], args));
  }

  async renew(incarnation: string): Promise<boolean> {
    const args = [incarnation, this.leaseMs, REGISTRY_TTL_MS];
    return (await orUnavailable(() => renewScript.run(this.#redis, [this.#alive], args))) === 1;
  }

  async release(incarnation: string): Promise<void> {
    await orUnavailable(() => this.#redis.run(this.#alive, server => server.zrem(this.#alive, incarnation)));
  }

  reap(): Promise<Reaping> {
    return this.#reap('expired', 0);
  }

  async fenceAll(): Promise<void> {
    await this.#reap('all', this.leaseMs);
  }

  async forget(incarnation: string): Promise<void> {
    await orUnavailable(() => this.#redis.run(this.#dead, server => server.zrem(this.#dead, incarnation)));
  }

  async living(): Promise<readonly NodeLease[]> {
    const reply = (await orUnavailable(() => livingScript.run(this.#redis, [this.#alive], []))) as string[];
    const leases: NodeLease[] = [];
    for (let i = 0; i + 1 < reply.length; i += 2) {
      leases.push({ incarnation: reply[i] ?? '', expiresInMs: Number(reply[i + 1]) });
    }
    return leases;
  }

  async #reap(which: 'expired' | 'all', dueAfterMs: number): Promise<Reaping> {
    const keys = [this.#alive, this.#dead];
    const args = [which, dueAfterMs, REGISTRY_TTL_MS];
    const reply = (await orUnavailable(() => reapScript.run(this.#redis, keys, args))) as string[];
    const [nextInMs, ...dead] = reply;
    return { dead, nextInMs: nextInMs === '-1' ? Number.POSITIVE_INFINITY : Number(nextInMs) };
  }
}
