/** Restores the rows of a registry that went back in time from the memory of its owner. */
import type { Journal } from './journal.js';
import type { Rooms } from './rooms.js';
import { encodeMember, encodeUser } from './row-codec.js';
import type { SavedPartition } from './saved-partition.js';
import type { Users } from './users.js';

export interface Remembered {
  readonly journal: Journal;
  readonly rooms: Rooms;
  readonly users: Users;
  readonly meta: ReadonlyMap<string, string>;
}

/** Notes each row that differs from the memory, and yields after it: a commit need not take all of them. */
export function* noteDifferences(saved: SavedPartition, { journal, rooms, users, meta }: Remembered): Generator<void> {
  for (const room of rooms.values()) {
    const rows = saved.members.get(room.name) ?? new Map<string, string>();
    for (const user of differences(rows, room.members, encodeMember)) yield journal.roomChanged(room.name, user);
    if (saved.rooms.get(room.name) !== room.indexEntry) yield journal.roomChanged(room.name);
  }
  for (const name of saved.rooms.keys()) if (rooms.get(name) === undefined) yield journal.roomChanged(name);
  for (const user of differences(saved.users, users.byId, encodeUser)) yield void journal.users.add(user);
  for (const field of differences(saved.meta, meta, value => value)) yield journal.metaChanged(field, meta.get(field));
}

/** Keys whose row is missing, another one, or left over. */
function* differences<T>(
  rows: ReadonlyMap<string, string>,
  current: ReadonlyMap<string, T>,
  encode: (value: T) => string,
): Generator<string> {
  for (const [key, value] of current) if (rows.get(key) !== encode(value)) yield key;
  for (const key of rows.keys()) if (!current.has(key)) yield key;
}
