/** Which partition of presence a room or a user belongs to: edges and presence must agree on it. */
import { toUtf8 } from './utf8.js';

/** Partitions of a cluster. Every edge and presence instance must use the same number; changing it needs all of them stopped. */
export const DEFAULT_PARTITIONS = 16;

/** FNV-1a, 32 bits: offset basis and prime of draft-eastlake-fnv, section 6 (http://www.isthe.com/chongo/tech/comp/fnv/). */
const FNV_OFFSET_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const ASCII_MAX = 0x7f;

/** FNV-1a of the key's UTF-8 bytes, as an unsigned 32-bit integer. */
export function fnv1a(key: string): number {
  let hash = FNV_OFFSET_BASIS;
  for (let i = 0; i < key.length; i++) {
    const unit = key.charCodeAt(i);
    if (unit > ASCII_MAX) return fnv1aBytes(toUtf8(key));
    hash = Math.imul(hash ^ unit, FNV_PRIME);
  }
  return hash >>> 0;
}

function fnv1aBytes(bytes: Uint8Array): number {
  let hash = FNV_OFFSET_BASIS;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, FNV_PRIME);
  return hash >>> 0;
}

/**
 * The partition of a room's name or a user's id, 0 to `partitions - 1`.
 * @example partitionOf('general', 16) // the same on every edge and presence instance
 */
export function partitionOf(key: string, partitions: number = DEFAULT_PARTITIONS): number {
  return fnv1a(key) % partitions;
}
