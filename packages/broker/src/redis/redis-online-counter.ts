/** The count of users online, in one Redis hash: partition → `<users> <fence>`. */
import { ONLINE_TOTAL_MAX_AGE_MS, type OnlineCount, type OnlineCounter } from '../online-counter.js';
import { RedisScript } from './redis-script.js';
import { onlineKey, REGISTRY_TTL_MS } from './registry-keys.js';
import type { RedisTopology } from './topology.js';
import { orUnavailable } from './unavailable.js';

const writeScript = new RedisScript(new URL('../../lua/online-write.lua', import.meta.url));

export interface RedisOnlineCounterOptions {
  readonly redis: RedisTopology;
  readonly prefix: string;
  /** Age that an answer may have; default 1,000. */
  readonly maxAgeMs?: number;
}

export class RedisOnlineCounter implements OnlineCounter {
  readonly #redis: RedisTopology;
  readonly #key: string;
  readonly #maxAgeMs: number;
  #answer: Promise<number> | undefined;
  #askedAtMs = 0;

  constructor(options: RedisOnlineCounterOptions) {
    this.#redis = options.redis;
    this.#key = onlineKey(options.prefix);
    this.#maxAgeMs = options.maxAgeMs ?? ONLINE_TOTAL_MAX_AGE_MS;
  }

  async write(counts: ReadonlyMap<number, OnlineCount>): Promise<void> {
    if (counts.size === 0) return;
    const args = [...counts].flatMap(([partition, { users, fence }]) => [partition, users, fence]);
    await orUnavailable(() => writeScript.run(this.#redis, [this.#key], [REGISTRY_TTL_MS, ...args]));
  }

  total(): Promise<number> {
    const now = Date.now();
    if (this.#answer === undefined || now - this.#askedAtMs >= this.#maxAgeMs) {
      this.#askedAtMs = now;
      this.#answer = this.#sum().catch(error => {
        this.#answer = undefined; // A failure is not kept: the next one asks again.
        throw error;
      });
    }
    return this.#answer;
  }

  async #sum(): Promise<number> {
    const counts = await orUnavailable(() => this.#redis.run(this.#key, server => server.hvals(this.#key)));
    return counts.reduce((sum, count) => sum + (Number.parseInt(count, 10) || 0), 0);
  }
}
