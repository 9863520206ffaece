/** A partition as the registry has it. */

/** The stored state of a partition. */
export interface SavedPartition {
  readonly meta: ReadonlyMap<string, string>;
  /** Room → its entry in the index. */
  readonly rooms: ReadonlyMap<string, string>;
  /** Room → user → row. */
  readonly members: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** User → row, of all buckets. */
  readonly users: ReadonlyMap<string, string>;
}

export const EMPTY_PARTITION: SavedPartition = {
  meta: new Map(),
  rooms: new Map(),
  members: new Map(),
  users: new Map(),
};
