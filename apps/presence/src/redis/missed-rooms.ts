/** Rooms whose members missed messages of presence, until the server that carries them has answered for a while. */
import type { RedisShard, RedisTopology } from '@hubbub/broker';
import type { Channels } from '@hubbub/protocol';

/** Edges subscribe again about a second after their Redis is back: earlier messages would be lost, too. */
const BACK_AFTER_MS = 3000;

export class MissedRooms {
  readonly #redis: RedisTopology;
  readonly #channels: Channels;
  readonly #byPartition = new Map<number, Set<string>>();
  /** Server → since when it has answered and lost no message. */
  readonly #answersSinceMs = new Map<string, number>();
  readonly #asked = new Set<string>();

  /** @param redis carries the rooms */
  constructor(redis: RedisTopology, channels: Channels) {
    this.#redis = redis;
    this.#channels = channels;
  }

  add(partition: number, room: string): void {
    const rooms = this.#byPartition.get(partition);
    if (rooms === undefined) this.#byPartition.set(partition, new Set([room]));
    else rooms.add(room);
    const shard = this.#shardOf(room);
    if (shard !== undefined) this.#answersSinceMs.delete(shard.name);
  }

  /** Removes and returns the rooms of a partition that can get messages again. */
  take(partition: number): readonly string[] {
    const rooms = this.#byPartition.get(partition);
    if (rooms === undefined) return [];
    const back = [...rooms].filter(room => this.#isBack(room));
    for (const room of back) rooms.delete(room);
    if (rooms.size === 0) this.#byPartition.delete(partition);
    return back;
  }

  #isBack(room: string): boolean {
    const shard = this.#shardOf(room);
    if (shard === undefined) return false;
    const sinceMs = this.#answersSinceMs.get(shard.name);
    if (sinceMs === undefined) void this.#ask(shard);
    return sinceMs !== undefined && performance.now() - sinceMs >= BACK_AFTER_MS;
  }

  async #ask({ name, commands }: RedisShard): Promise<void> {
    if (this.#asked.has(name)) return;
    this.#asked.add(name);
    try {
      await commands.ping();
      this.#answersSinceMs.set(name, performance.now());
    } catch {
      // The next `take` asks again.
    } finally {
      this.#asked.delete(name);
    }
  }

  /** `undefined` while the place of the room is unknown. */
  #shardOf(room: string): RedisShard | undefined {
    try {
      return this.#redis.shardOf(this.#channels.room(room));
    } catch {
      return undefined; // A Redis Cluster whose slots are not known yet.
    }
  }
}
