/** The keys that open the HTTP interfaces of presence and of the API. */
import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Whether `Authorization: Bearer <key>` carries one of the keys. It compares hashes of equal length, and always all of them:
 * so its duration reveals nothing.
 */
export function createKeyCheck(keys: readonly string[]): (authorization: string | undefined) => boolean {
  const hashes = keys.filter(key => key !== '').map(hashOf);
  return authorization => {
    const offered = hashOf(/^Bearer (.+)$/i.exec(authorization ?? '')?.[1] ?? '');
    let valid = false;
    for (const hash of hashes) valid = timingSafeEqual(hash, offered) || valid;
    return valid;
  };
}

function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
