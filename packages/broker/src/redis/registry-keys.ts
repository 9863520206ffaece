/** Names and lifetimes of presence's keys in Redis (docs/decisions/0001). The part in braces decides the cluster slot. */

/**
 * Time to live of presence's keys after the last write. Longer than a partition is remembered without
 * its owner (see `apps/presence`), so that the keys that a partition needs outlive it.
 */
export const REGISTRY_TTL_MS = 300_000;

/** The keys of one partition share a slot, so that one script can write them. */
export function partitionKey(prefix: string, partition: number, name: string): string {
  return `${prefix}:presence:{p${partition}}:${name}`;
}

export function nodesKey(prefix: string, name: 'alive' | 'dead' | 'checks' | 'wire'): string {
  return `${prefix}:presence:{nodes}:${name}`;
}

export function onlineKey(prefix: string): string {
  return `${prefix}:presence:online`;
}
