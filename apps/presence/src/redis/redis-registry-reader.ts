/** Reads the registry in Redis, a page at a time. */
import { orUnavailable, partitionKey, type RedisTopology } from '@hubbub/broker';
import { partitionOf } from '@hubbub/protocol';
import { roomHash, userHash } from '../partition/journal-effects.js';
import { bucketOf } from '../partition/users.js';
import type { PageQuery, RegistryReader, RoomSummary, Roster, UserView } from '../registry-reader.js';
import { decodeCursor, encodeCursor, roomSummary, rosterEntries, userView } from '../registry-view.js';

export interface RedisRegistryReaderOptions {
  readonly redis: RedisTopology;
  readonly prefix: string;
  readonly partitions: number;
}

export class RedisRegistryReader implements RegistryReader {
  readonly #redis: RedisTopology;
  readonly #prefix: string;
  readonly #partitions: number;

  constructor(options: RedisRegistryReaderOptions) {
    this.#redis = options.redis;
    this.#prefix = options.prefix;
    this.#partitions = options.partitions;
  }

  async rooms({ limit, cursor, prefix = '' }: PageQuery & { readonly prefix?: string }) {
    const rooms: RoomSummary[] = [];
    let { partition, scan } = decodeCursor(cursor);
    while (partition < this.#partitions) {
      const key = this.#key(partition, 'rooms');
      const from = scan;
      // Room names have no character that a glob would read in another way.
      const [next, pairs] = await orUnavailable(() =>
        this.#redis.run(key, server => server.hscan(key, from, 'MATCH', `${prefix}*`, 'COUNT', limit - rooms.length)),
      );
      for (const [room, entry] of pairsOf(pairs)) rooms.push(roomSummary(room, entry));
      scan = next;
      if (next === '0') partition++;
      if (rooms.length >= limit && partition < this.#partitions)
        return { rooms, next: encodeCursor({ partition, scan }) };
    }
    return { rooms };
  }

  async roster(room: string, { limit, cursor }: PageQuery): Promise<Roster> {
    const { scan } = decodeCursor(cursor);
    const partition = partitionOf(room, this.#partitions);
    const roster = this.#key(partition, roomHash(room));
    const [entry, meta, [next, pairs]] = await orUnavailable(() =>
      Promise.all([
        this.#redis.run(this.#key(partition, 'rooms'), server => server.hget(this.#key(partition, 'rooms'), room)),
        this.#meta(partition),
        this.#redis.run(roster, server => server.hscan(roster, scan, 'COUNT', limit)),
      ]),
    );
    return {
      ...roomSummary(room, entry),
      entries: rosterEntries(pairsOf(pairs), new Map(Object.entries(meta))),
      ...(next !== '0' && { next: encodeCursor({ partition, scan: next }) }),
    };
  }

  async user(id: string): Promise<UserView> {
    const partition = partitionOf(id, this.#partitions);
    const users = this.#key(partition, userHash(bucketOf(id, this.#partitions)));
    const [row, meta] = await orUnavailable(() =>
      Promise.all([this.#redis.run(users, server => server.hget(users, id)), this.#meta(partition)]),
    );
    return userView(id, row, new Map(Object.entries(meta)));
  }

  #meta(partition: number): Promise<Record<string, string>> {
    return this.#redis.run(this.#key(partition, 'meta'), server => server.hgetall(this.#key(partition, 'meta')));
  }

  #key(partition: number, name: string): string {
    return partitionKey(this.#prefix, partition, name);
  }
}

function* pairsOf(flat: readonly string[]): Iterable<readonly [string, string]> {
  for (let at = 0; at + 1 < flat.length; at += 2) yield [flat[at] ?? '', flat[at + 1] ?? ''];
}
