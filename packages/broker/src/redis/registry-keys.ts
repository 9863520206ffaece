/** Names and lifetimes of presence's keys in Redis (docs/decisions/0001). What is in braces decides the cluster slot. */

/**
 * Every key of presence is gone so long after the last process touched it. Longer than a partition is remembered without
 * its owner (see `apps/presence`), so that what a partition relies on outlives it.
 */
export const REGISTRY_TTL_MS = 300_000;

/** The keys of one partition share a slot, so that one script can write them. */
export function partitionKey(prefix: string, partition: number, name: string): string {
  return `${prefix}:presence:{p${partition}}:${name}`;
}

export function nodesKey(prefix: string, name: 'alive' | 'dead'): string {
  return `${prefix}:presence:{nodes}:${name}`;
}

export function onlineKey(prefix: string): string {
  return `${prefix}:presence:online`;
}
