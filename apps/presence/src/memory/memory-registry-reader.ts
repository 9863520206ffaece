/** Reads the registry of one process. */
import { partitionOf } from '@hubbub/protocol';
import { roomHash, userHash } from '../partition/journal-effects.js';
import { bucketOf } from '../partition/users.js';
import type { PageQuery, RegistryReader, RoomSummary, Roster, UserView } from '../registry-reader.js';
import { decodeCursor, encodeCursor, roomSummary, rosterEntries, userView } from '../registry-view.js';
import type { MemoryPartitionStore } from './memory-partition-store.js';

/** A page begins after this number of entries of a hash; entries that leave meanwhile may shift it. */
export class MemoryRegistryReader implements RegistryReader {
  readonly #store: MemoryPartitionStore;
  readonly #partitions: number;

  constructor(store: MemoryPartitionStore, partitions: number) {
    this.#store = store;
    this.#partitions = partitions;
  }

  async rooms({ limit, cursor, prefix = '' }: PageQuery & { readonly prefix?: string }) {
    const rooms: RoomSummary[] = [];
    const { partition: first, scan } = decodeCursor(cursor);
    let skip = Number(scan);
    for (let partition = first; partition < this.#partitions; partition++) {
      let at = 0;
      for (const [room, entry] of this.#store.hash(partition, 'rooms')) {
        if (at++ < skip || !room.startsWith(prefix)) continue;
        if (rooms.length === limit) return { rooms, next: encodeCursor({ partition, scan: String(at - 1) }) };
        rooms.push(roomSummary(room, entry));
      }
      skip = 0;
    }
    return { rooms };
  }

  async roster(room: string, { limit, cursor }: PageQuery): Promise<Roster> {
    const skip = Number(decodeCursor(cursor).scan);
    const partition = partitionOf(room, this.#partitions);
    const rows = [...this.#store.hash(partition, roomHash(room))];
    const end = skip + limit;
    return {
      ...roomSummary(room, this.#store.hash(partition, 'rooms').get(room)),
      entries: rosterEntries(rows.slice(skip, end), this.#store.hash(partition, 'meta')),
      ...(end < rows.length && { next: encodeCursor({ partition, scan: String(end) }) }),
    };
  }

  async user(id: string): Promise<UserView> {
    const partition = partitionOf(id, this.#partitions);
    const bucket = this.#store.hash(partition, userHash(bucketOf(id, this.#partitions)));
    return userView(id, bucket.get(id), this.#store.hash(partition, 'meta'));
  }
}
