/** The lifecycle streams on Redis, for groups that read them. */
import type { LifecycleLog } from '../lifecycle-log.js';
import { RedisLifecycleGroup, type RedisLifecycleOptions } from './redis-lifecycle-group.js';

export class RedisLifecycleLog implements LifecycleLog {
  readonly #options: RedisLifecycleOptions;

  constructor(options: RedisLifecycleOptions) {
    this.#options = options;
  }

  group(name: string): RedisLifecycleGroup {
    return new RedisLifecycleGroup(this.#options, name);
  }
}
