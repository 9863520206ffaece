/** Names of the keys of a group of lifecycle events (docs/redis-contract.md). Those of the group share a slot. */
import { partitionKey } from './registry-keys.js';

export interface LifecycleKeys {
  /** One for each partition of presence. */
  readonly streams: readonly string[];
  readonly lease: string;
  readonly positions: string;
  readonly dead: string;
  /** Dead letters that the group gets again. */
  readonly replays: string;
}

export function lifecycleKeys(prefix: string, partitions: number, group: string): LifecycleKeys {
  const ofGroup = (name: string) => `${prefix}:lifecycle:{${group}}:${name}`;
  return {
    streams: Array.from({ length: partitions }, (_, partition) => partitionKey(prefix, partition, 'lifecycle')),
    lease: ofGroup('lease'),
    positions: ofGroup('positions'),
    dead: ofGroup('dead'),
    replays: ofGroup('replays'),
  };
}
