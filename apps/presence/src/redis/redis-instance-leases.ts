/** Leases of presence instances in Redis. */
import { orUnavailable, RedisScript, type RedisTopology } from '@hubbub/broker';
import { INSTANCE_LEASE_MS, type InstanceLeases, type Membership } from '../instance-leases.js';

const renewScript = new RedisScript(
  new URL('../../lua/server-term.lua', import.meta.url),
  new URL('../../lua/instance-renew.lua', import.meta.url),
);

export interface RedisInstanceLeasesOptions {
  readonly redis: RedisTopology;
  readonly prefix: string;
  /** Default 5,000. The same for all instances. */
  readonly leaseMs?: number;
}

export class RedisInstanceLeases implements InstanceLeases {
  readonly #redis: RedisTopology;
  readonly #key: string;
  readonly #leaseMs: number;

  constructor(options: RedisInstanceLeasesOptions) {
    this.#redis = options.redis;
    this.#key = `${options.prefix}:presence:instances`;
    this.#leaseMs = options.leaseMs ?? INSTANCE_LEASE_MS;
  }

  async renew(instance: string): Promise<Membership> {
    const reply = await orUnavailable(() => renewScript.run(this.#redis, [this.#key], [instance, this.#leaseMs]));
    const [now, term = '', ...living] = reply as string[];
    return { living: living.sort(), nowMs: Number(now), term };
  }

  async release(instance: string): Promise<void> {
    await orUnavailable(() => this.#redis.run(this.#key, server => server.zrem(this.#key, instance)));
  }
}
