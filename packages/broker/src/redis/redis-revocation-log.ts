/** The revocations in Redis, at one place: a hash of them, their versions and ends, and the epoch of the whole. */
import { randomBytes } from 'node:crypto';
import { HubbubError, type Revocation, type RevocationTarget, readRevocation, revocationId } from '@hubbub/protocol';
import {
  DEFAULT_MAX_REVOCATIONS,
  type RevocationLog,
  type RevocationPage,
  WITHDRAWAL_TTL_MS,
} from '../revocation-log.js';
import { RedisScript } from './redis-script.js';
import type { RedisTopology } from './topology.js';
import { orUnavailable } from './unavailable.js';

const putScript = new RedisScript(new URL('../../lua/revocations-put.lua', import.meta.url));
const readScript = new RedisScript(new URL('../../lua/revocations-read.lua', import.meta.url));

/** Of 200 bytes each: well below a millisecond of Redis. */
const PAGE_SIZE = 500;

export interface RedisRevocationLogOptions {
  readonly redis: RedisTopology;
  readonly prefix: string;
  /** Default 100,000. */
  readonly max?: number | undefined;
}

export class RedisRevocationLog implements RevocationLog {
  readonly #redis: RedisTopology;
  readonly #keys: readonly string[];
  readonly #max: number;

  constructor({ redis, prefix, max = DEFAULT_MAX_REVOCATIONS }: RedisRevocationLogOptions) {
    this.#redis = redis;
    this.#keys = ['entries', 'versions', 'ends', 'meta'].map(name => `${prefix}:{revocations}:${name}`);
    this.#max = max;
  }

  async revoke(revocation: Revocation): Promise<void> {
    await this.#put([revocationId(revocation), JSON.stringify(revocation), revocation.untilMs]);
  }

  async withdraw(target: RevocationTarget): Promise<boolean> {
    return await this.#put([revocationId(target), '', -WITHDRAWAL_TTL_MS]);
  }

  async restore(revocations: readonly Revocation[]): Promise<void> {
    for (let at = 0; at < revocations.length; at += PAGE_SIZE) {
      const page = revocations.slice(at, at + PAGE_SIZE);
      await this.#put(
        page.flatMap(revocation => [revocationId(revocation), JSON.stringify(revocation), revocation.untilMs]),
        true,
      );
    }
  }

  async read(after: number): Promise<RevocationPage> {
    const reply = (await orUnavailable(() => readScript.run(this.#redis, this.#keys, [after, PAGE_SIZE]))) as string[];
    const [epoch = '', version = '0', ...rows] = reply;
    const changes = [];
    for (let at = 0; at < rows.length; at += 3) {
      const json = rows[at + 2] ?? '';
      // Malformed entries are left out: only programs that are not ours write them.
      const revocation = readRevocation(json);
      if (revocation !== undefined || json === '') changes.push({ id: rows[at] ?? '', revocation });
    }
    const isFull = rows.length === 3 * PAGE_SIZE;
    return {
      // After a restart or a failover, the data may be older although its epoch is the same.
      epoch: `${epoch}@${this.#term}`,
      version: Number(version),
      changes,
      next: isFull ? Number(rows[rows.length - 2]) : undefined,
    };
  }

  get #term(): string {
    return this.#redis.shardOf(this.#keys[0] ?? '').term.current;
  }

  async #put(entries: readonly (string | number)[], onlyUnknown = false): Promise<boolean> {
    const args = [randomBytes(6).toString('base64url'), this.#max, onlyUnknown ? 1 : 0, ...entries];
    const result = await orUnavailable(() => putScript.run(this.#redis, this.#keys, args));
    if (result !== -1) return result === 1;
    throw new HubbubError('RATE_LIMITED', `There are HUBBUB_MAX_REVOCATIONS (${this.#max}) revocations already.`);
  }
}
