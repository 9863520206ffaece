/** The registry of one process, in memory, under the same rules of claim and commit. */

import { LOG_START, type LogPosition } from '@hubbub/broker';
import type { LifecycleEvent } from '@hubbub/protocol';
import type { HashChange } from '../partition/effects.js';
import type { SavedPartition } from '../partition/saved-partition.js';
import type { Claim, Commit, PartitionStore } from '../partition-store.js';

interface Stored {
  owner: string;
  fence: number;
  /** Absent until the first commit. */
  sequence: number | undefined;
  position: LogPosition;
  readonly hashes: Map<string, Map<string, string>>;
}

export class MemoryPartitionStore implements PartitionStore {
  readonly #partitions = new Map<number, Stored>();
  readonly #publish: (channel: string, envelope: Uint8Array) => void;
  readonly #notifyServices: (event: LifecycleEvent) => void;

  /** `publish` hands an envelope to the broker, `notifyServices` an event to services; they must not throw. */
  constructor(
    publish: (channel: string, envelope: Uint8Array) => void,
    notifyServices: (event: LifecycleEvent) => void = () => {},
  ) {
    this.#publish = publish;
    this.#notifyServices = notifyServices;
  }

  async claim(partition: number, instance: string, living: readonly string[]): Promise<Claim | undefined> {
    const stored = this.#stored(partition);
    const holder = stored.owner.slice(0, stored.owner.lastIndexOf('|'));
    if (holder !== '' && holder !== instance && living.includes(holder)) return undefined;
    stored.owner = `${instance}|${++stored.fence}`;
    const { owner, fence, sequence, position } = stored;
    const lost = sequence === undefined;
    // Memory has one term: it ends with the process.
    return { partition, owner, fence, sequence: sequence ?? 0, position, lost, term: '', restored: false };
  }

  async load({ partition }: Claim): Promise<SavedPartition> {
    const { hashes } = this.#stored(partition);
    const members = new Map<string, Map<string, string>>();
    const users = new Map<string, string>();
    for (const [name, hash] of hashes) {
      if (name.startsWith('room:')) members.set(name.slice('room:'.length), new Map(hash));
      if (name.startsWith('users:')) for (const [user, row] of hash) users.set(user, row);
    }
    return { meta: this.hash(partition, 'meta'), rooms: this.hash(partition, 'rooms'), members, users };
  }

  async commit(claim: Claim, commit: Commit): Promise<boolean> {
    const stored = this.#stored(claim.partition);
    if (stored.owner !== claim.owner || (stored.sequence ?? 0) !== commit.sequence) return false;
    stored.sequence = commit.sequence + 1;
    stored.position = commit.position;
    for (const change of commit.hashes) applyChange(stored.hashes, change);
    for (const event of commit.lifecycle) this.#notifyServices(event);
    for (const { channel, head, body } of commit.publications) this.#publish(channel, Buffer.from(head + body));
    return true;
  }

  /** Memory loses nothing. */
  takeMissed(): Iterable<string> {
    return [];
  }

  /** Memory does not expire: it ends with the process. */
  async renew(claim: Claim): Promise<boolean> {
    return this.#stored(claim.partition).owner === claim.owner;
  }

  async release(claim: Claim): Promise<void> {
    const stored = this.#stored(claim.partition);
    if (stored.owner === claim.owner) stored.owner = '';
  }

  /** A hash as it is now: what readers of the registry see. */
  hash(partition: number, name: string): ReadonlyMap<string, string> {
    return new Map(this.#stored(partition).hashes.get(name));
  }

  #stored(partition: number): Stored {
    let stored = this.#partitions.get(partition);
    if (stored === undefined) {
      stored = { owner: '', fence: 0, sequence: undefined, position: LOG_START, hashes: new Map() };
      this.#partitions.set(partition, stored);
    }
    return stored;
  }
}

function applyChange(hashes: Map<string, Map<string, string>>, { name, clear, set, remove }: HashChange): void {
  const hash = (clear ? undefined : hashes.get(name)) ?? new Map<string, string>();
  for (const [field, value] of set) hash.set(field, value);
  for (const field of remove) hash.delete(field);
  if (hash.size > 0) hashes.set(name, hash);
  else hashes.delete(name);
}
