/** Leases of edges in Redis, by the clock of Redis. */
import { FIRST_WIRE_VERSION } from '@hubbub/protocol';
import {
  DEFAULT_NODE_LEASE_MS,
  IdleLeaseKeeper,
  type LeaseKeeper,
  lateCheckMs,
  type NodeLease,
  type NodeLeases,
  type Reaping,
  type WireVersions,
  wireHoldMs,
} from '../node-leases.js';
import { RedisScript } from './redis-script.js';
import { nodesKey, REGISTRY_TTL_MS } from './registry-keys.js';
import type { RedisTopology } from './topology.js';
import { orUnavailable } from './unavailable.js';

const registerScript = new RedisScript(new URL('../../lua/node-register.lua', import.meta.url));
const renewScript = new RedisScript(new URL('../../lua/node-renew.lua', import.meta.url));
const reapScript = new RedisScript(
  new URL('../../lua/wire-version.lua', import.meta.url),
  new URL('../../lua/node-reap.lua', import.meta.url),
);
const livingScript = new RedisScript(new URL('../../lua/node-living.lua', import.meta.url));

export interface RedisNodeLeasesOptions {
  readonly redis: RedisTopology;
  readonly prefix: string;
  /** Default 8,000. The same for all processes of a cluster. */
  readonly leaseMs?: number;
  /** Default: a keeper that renews nothing. */
  readonly openKeeper?: () => LeaseKeeper;
}

export class RedisNodeLeases implements NodeLeases {
  readonly leaseMs: number;
  readonly openKeeper: () => LeaseKeeper;
  readonly #redis: RedisTopology;
  readonly #alive: string;
  readonly #dead: string;
  readonly #checks: string;
  readonly #wire: string;

  constructor(options: RedisNodeLeasesOptions) {
    this.leaseMs = options.leaseMs ?? DEFAULT_NODE_LEASE_MS;
    this.openKeeper = options.openKeeper ?? (() => new IdleLeaseKeeper());
    this.#redis = options.redis;
    this.#alive = nodesKey(options.prefix, 'alive');
    this.#dead = nodesKey(options.prefix, 'dead');
    this.#checks = nodesKey(options.prefix, 'checks');
    this.#wire = nodesKey(options.prefix, 'wire');
  }

  async register(incarnation: string): Promise<void> {
    const args = [incarnation, this.leaseMs, REGISTRY_TTL_MS];
    await orUnavailable(() => registerScript.run(this.#redis, [this.#alive, this.#dead], args));
  }

  async renew(incarnation: string): Promise<number | undefined> {
    const keys = [this.#alive, this.#wire];
    const args = [incarnation, this.leaseMs, REGISTRY_TTL_MS];
    const version = (await orUnavailable(() => renewScript.run(this.#redis, keys, args))) as number;
    return version === 0 ? undefined : version;
  }

  async release(incarnation: string): Promise<void> {
    await orUnavailable(() => this.#redis.run(this.#alive, server => server.zrem(this.#alive, incarnation)));
  }

  reap(presenceReads = FIRST_WIRE_VERSION): Promise<Reaping> {
    return this.#reap('expired', 0, presenceReads);
  }

  async fenceAll(): Promise<void> {
    await this.#reap('all', this.leaseMs, FIRST_WIRE_VERSION);
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

  async dead(): Promise<readonly string[]> {
    return await orUnavailable(() => this.#redis.run(this.#dead, server => server.zrange(this.#dead, 0, -1)));
  }

  async wireVersions(): Promise<WireVersions> {
    const [written, lowest] = await orUnavailable(() =>
      this.#redis.run(this.#wire, server => server.hmget(this.#wire, 'written', 'lowest')),
    );
    return { written: Number(written ?? FIRST_WIRE_VERSION), lowest: Number(lowest ?? FIRST_WIRE_VERSION) };
  }

  async #reap(which: 'expired' | 'all', dueAfterMs: number, presenceReads: number): Promise<Reaping> {
    const { leaseMs } = this;
    const keys = [this.#alive, this.#dead, this.#checks, this.#wire];
    const ofLeases = [which, dueAfterMs, REGISTRY_TTL_MS, leaseMs, lateCheckMs(leaseMs)];
    const args = [...ofLeases, presenceReads, wireHoldMs(leaseMs), leaseMs];
    const reply = (await orUnavailable(() => reapScript.run(this.#redis, keys, args))) as [string, number, ...string[]];
    const [nextInMs, holdBegan, ...dead] = reply;
    return {
      dead,
      nextInMs: nextInMs === '-1' ? Number.POSITIVE_INFINITY : Number(nextInMs),
      holdBegan: holdBegan === 1,
    };
  }
}
