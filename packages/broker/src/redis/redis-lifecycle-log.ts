/** The lifecycle streams on Redis, for groups that read them. */
import type { LifecycleLog } from '../lifecycle-log.js';
import { RedisLifecycleGroup, type RedisLifecycleOptions } from './redis-lifecycle-group.js';

export class RedisLifecycleLog implements LifecycleLog {
  readonly #options: RedisLifecycleOptions;
  readonly #groups = new Set<RedisLifecycleGroup>();

  constructor(options: RedisLifecycleOptions) {
    this.#options = options;
  }

  group(name: string): RedisLifecycleGroup {
    const group = new RedisLifecycleGroup(this.#options, name);
    this.#groups.add(group);
    return group;
  }

  /** Ends the connections that wait for events. */
  close(): void {
    for (const group of this.#groups) group.close();
  }
}
