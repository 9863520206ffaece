/** Claims of idempotency keys on Redis: one string for each, by a hash of the key. */
import { createHash } from 'node:crypto';
import {
  openRedisTopology,
  orUnavailable,
  RedisScript,
  type RedisTopology,
  type RedisTopologyOptions,
} from '@hubbub/broker';
import { CLAIM_TTL_MS, type KeyClaims } from '../key-claims.js';

const claimScript = new RedisScript(new URL('../../lua/claim-key.lua', import.meta.url));

export interface RedisKeyClaimsOptions extends RedisTopologyOptions {
  readonly prefix: string;
}

/** Returns immediately and connects in the background. */
export function openRedisKeyClaims(url: string, { prefix, ...connection }: RedisKeyClaimsOptions): KeyClaims {
  return new RedisKeyClaims(openRedisTopology(url, connection), prefix);
}

class RedisKeyClaims implements KeyClaims {
  readonly #redis: RedisTopology;
  readonly #prefix: string;

  constructor(redis: RedisTopology, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
    claimScript.keepLoaded(redis);
  }

  async claim(key: string, fingerprint: string): Promise<boolean> {
    // Hashed, so that no key of a back end's choosing makes a Redis key of its choosing.
    const hash = createHash('sha256').update(key).digest('base64url');
    const keys = [`${this.#prefix}:api:key:{${hash}}`];
    return (await orUnavailable(() => claimScript.run(this.#redis, keys, [fingerprint, CLAIM_TTL_MS]))) === 1;
  }

  async ping(): Promise<void> {
    await orUnavailable(() => Promise.all(this.#redis.shards.map(({ commands }) => commands.ping())));
  }

  close(): void {
    this.#redis.close();
  }
}
