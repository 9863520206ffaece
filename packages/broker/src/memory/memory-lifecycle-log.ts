/** The lifecycle events of one process: presence in memory writes them, services of the same process follow. */
import { setTimeout as delay } from 'node:timers/promises';
import type { LifecycleEvent } from '@hubbub/protocol';
import { LIFECYCLE_KEPT_MAX, type LifecycleGroup, type LifecycleLog } from '../lifecycle-log.js';
import { type LifecycleGroupState, MemoryLifecycleGroup, type NumberedEvent } from './memory-lifecycle-group.js';

export class MemoryLifecycleLog implements LifecycleLog {
  readonly #entries: NumberedEvent[] = [];
  readonly #groups = new Map<string, LifecycleGroupState>();
  #count = 0;
  #waiting: (() => void)[] = [];

  append(event: LifecycleEvent): void {
    this.#entries.push({ number: ++this.#count, event });
    this.keepNewest(LIFECYCLE_KEPT_MAX);
    this.#wake();
  }

  keepNewest(count: number): void {
    this.#entries.splice(0, Math.max(0, this.#entries.length - count));
  }

  group(group: string): LifecycleGroup {
    let state = this.#groups.get(group);
    if (state === undefined) {
      const gap = { reason: 'began', id: `${Date.now()}-0` } as const;
      state = {
        ...{ holder: undefined, heldUntilMs: 0, done: this.#count, gap },
        ...{ dead: [], replays: new Map(), count: 0 },
      };
      this.#groups.set(group, state);
    }
    const entries = this.#entries;
    const next = () => this.#count + 1;
    return new MemoryLifecycleGroup(state, {
      after: number => entries.filter(entry => entry.number > number),
      get oldest() {
        return entries[0]?.number ?? next();
      },
      wait: ms => this.#wait(ms),
      wake: () => this.#wake(),
    });
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  async #wait(ms: number): Promise<void> {
    const ended = new AbortController();
    const woken = new Promise<void>(resolve => this.#waiting.push(resolve));
    // Whichever is first; the other is called off.
    await Promise.race([woken, delay(ms, undefined, { signal: ended.signal, ref: false }).catch(() => {})]);
    ended.abort();
  }
}
