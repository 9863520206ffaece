/** The keys that open the HTTP interfaces of presence and of the API, and what each of them allows. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { API_OPERATIONS, type ApiOperation, HubbubError, namespaceOf } from '@hubbub/protocol';
import { TokenBucket } from '../token-bucket.js';

export interface ApiKey {
  /** Names the key in logs and refusals; never the key itself. */
  readonly name: string;
  /** The key, or `sha256` of it. */
  readonly key?: string | undefined;
  /** SHA-256 of the key, in hex. */
  readonly sha256?: string | undefined;
  readonly operations: readonly ApiOperation[];
  /** Absent: every namespace, and what belongs to none. */
  readonly namespaces?: readonly string[] | undefined;
  /** Absent: no limit of its own. */
  readonly maxRequestsPerSecond?: number | undefined;
}

/** A key with every right. */
export function unlimitedKey(name: string, key: string): ApiKey {
  return { name, key, operations: API_OPERATIONS };
}

/**
 * Finds the key that `Authorization: Bearer <key>` carries. It compares hashes of equal length, and always all of them:
 * so its duration reveals nothing.
 */
export function createKeyCheck(keys: readonly ApiKey[]): (authorization: string | undefined) => ApiKey | undefined {
  const hashed = keys.map(key => ({ key, hash: hashOf(key) }));
  return authorization => {
    const offered = digest(/^Bearer (.+)$/i.exec(authorization ?? '')?.[1] ?? '');
    let found: ApiKey | undefined;
    for (const { key, hash } of hashed) if (timingSafeEqual(hash, offered)) found = key;
    return found;
  };
}

function hashOf({ key, sha256 = '' }: ApiKey): Buffer {
  return key === undefined ? Buffer.from(sha256, 'hex') : digest(key);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** @throws {HubbubError} `FORBIDDEN`; its details name the missing operation */
export function requireOperation({ name, operations }: ApiKey, operation: ApiOperation): void {
  if (operations.includes(operation)) return;
  throw new HubbubError('FORBIDDEN', `The API key ${name} does not have the operation ${operation}.`, {
    details: { missing_operation: operation },
  });
}

/**
 * @param room undefined: the request reaches beyond namespaces, as everything about a user does
 * @throws {HubbubError} `FORBIDDEN`; its details name the missing namespace, `*` for all
 */
export function requireNamespace({ name, namespaces }: ApiKey, room: string | undefined): void {
  const namespace = room === undefined ? '*' : namespaceOf(room);
  if (namespaces === undefined || namespaces.includes(namespace)) return;
  const missing = room === undefined ? 'every namespace, which this request needs' : `the namespace ${namespace}`;
  throw new HubbubError('FORBIDDEN', `The API key ${name} is not for ${missing}.`, {
    details: { missing_namespace: namespace },
  });
}

/** The requests of each key that has a limit, in this process. */
export class KeyRates {
  readonly #buckets = new Map<ApiKey, TokenBucket>();

  /** @throws {HubbubError} `RATE_LIMITED` above the limit of the key; such a request takes nothing */
  take(key: ApiKey): void {
    const { maxRequestsPerSecond: perSecond, name } = key;
    if (perSecond === undefined) return;
    const nowMs = performance.now();
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      bucket = new TokenBucket({ perSecond, burst: perSecond }, nowMs);
      this.#buckets.set(key, bucket);
    }
    const retryAfterMs = bucket.waitMs(nowMs);
    if (retryAfterMs > 0) {
      const message = `The API key ${name} has more than ${perSecond} requests per second; retry later.`;
      throw new HubbubError('RATE_LIMITED', message, { retryAfterMs });
    }
    bucket.take();
  }
}
