/** The count of users online in one process. */
import type { OnlineCounter } from '../online-counter.js';

export class MemoryOnlineCounter implements OnlineCounter {
  readonly #counts = new Map<number, number>();

  async write(usersByPartition: ReadonlyMap<number, number>): Promise<void> {
    for (const [partition, users] of usersByPartition) this.#counts.set(partition, users);
  }

  async total(): Promise<number> {
    let total = 0;
    for (const users of this.#counts.values()) total += users;
    return total;
  }
}
