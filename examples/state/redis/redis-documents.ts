/** Documents in Redis: shared by all instances of a service, and kept over its restarts. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster, Redis } from 'ioredis';
import type { Document, Documents } from '../documents.js';
import { connectRedis } from './connection.js';

/**
 * Replaces the document KEYS[1] by the text ARGV[2] for ARGV[3] ms, if it is still ARGV[1]; an empty text means no document.
 * Returns 1 if it was replaced, 0 if another instance changed it meanwhile.
 */
const REPLACE = `
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
  return 0
end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return 1`;

/** With random pauses between attempts, so many lost races in a row are a defect of a service. */
const TRIES_MAX = 200;
const PAUSE_MAX_MS = 20;

export interface RedisDocumentsOptions {
  readonly url: string;
  readonly prefix: string;
  readonly ttlMs: number;
}

export class RedisDocuments implements Documents {
  readonly #redis: Redis | Cluster;
  readonly #prefix: string;
  readonly #ttlMs: number;

  constructor({ url, prefix, ttlMs }: RedisDocumentsOptions) {
    this.#redis = connectRedis(url);
    this.#prefix = prefix;
    this.#ttlMs = ttlMs;
  }

  async read<Of extends Document>(key: string): Promise<Of | undefined> {
    return parse<Of>(await this.#text(key));
  }

  async update<Of extends Document>(
    key: string,
    change: (document: Of | undefined) => Of | undefined,
  ): Promise<Of | undefined> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const before = await this.#text(key);
      const next = change(parse<Of>(before));
      const after = next === undefined ? '' : JSON.stringify(next);
      if ((await this.#redis.eval(REPLACE, 1, this.#key(key), before, after, this.#ttlMs)) === 1)
        return parse<Of>(after);
      await delay(Math.random() * PAUSE_MAX_MS);
    }
    throw new Error(
      `The document ${key} could not be updated: ${TRIES_MAX} attempts lost the race with other changes.`,
    );
  }

  close(): void {
    this.#redis.disconnect();
  }

  async #text(key: string): Promise<string> {
    return (await this.#redis.get(this.#key(key))) ?? '';
  }

  #key(key: string): string {
    return `${this.#prefix}:${key}`;
  }
}

function parse<Of>(text: string): Of | undefined {
  return text === '' ? undefined : JSON.parse(text);
}
