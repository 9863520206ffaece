/** The count of users online in one process. */
import type { OnlineCount, OnlineCounter } from '../online-counter.js';

export class MemoryOnlineCounter implements OnlineCounter {
  readonly #counts = new Map<number, OnlineCount>();

  async write(counts: ReadonlyMap<number, OnlineCount>): Promise<void> {
    for (const [partition, count] of counts) {
      if (count.fence >= (this.#counts.get(partition)?.fence ?? 0)) this.#counts.set(partition, count);
    }
  }

  async total(): Promise<number> {
    let total = 0;
    for (const { users } of this.#counts.values()) total += users;
    return total;
  }
}
