/** Documents in Redis: shared by all instances of a service, and kept over its restarts. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { exampleFile } from '../../service/example-file.js';
import type { Document, Documents } from '../documents.js';

const REPLACE = readFileSync(exampleFile('state/redis', 'replace.lua'), 'utf8');

/** Somebody else may be faster so often in a row; with random pauses between, that is a broken service and not luck. */
const TRIES_MAX = 200;
const PAUSE_MAX_MS = 20;

export interface RedisDocumentsOptions {
  readonly url: string;
  readonly prefix: string;
  readonly ttlMs: number;
}

export class RedisDocuments implements Documents {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #ttlMs: number;

  constructor({ url, prefix, ttlMs }: RedisDocumentsOptions) {
    this.#redis = new Redis(url, { maxRetriesPerRequest: null, commandTimeout: 10_000 });
    this.#redis.on('error', () => {
      // It reconnects by itself; commands that wait too long reject meanwhile.
    });
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
    throw new Error(`The document ${key} could not be updated: others change it all the time.`);
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
