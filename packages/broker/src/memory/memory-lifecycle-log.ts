/** The lifecycle events of one process: presence in memory writes them, services of the same process follow. */
import { setTimeout as delay } from 'node:timers/promises';
import { HubbubError, type LifecycleEvent } from '@hubbub/protocol';
import type { ConsumerGroup } from '../consumer-group.js';
import { LIFECYCLE_KEPT_MAX, type LifecycleEntry, type LifecycleLog } from '../lifecycle-log.js';
import { LifecyclePositions, lifecycleEntryId, parseLifecycleEntryId } from '../lifecycle-positions.js';

/** In memory all events are in one partition. */
const PARTITION = 0;

interface GroupState {
  holder: string | undefined;
  heldUntilMs: number;
  /** Number of the last entry that is done with all before it. */
  done: number;
}

export class MemoryLifecycleLog implements LifecycleLog {
  readonly #entries: { readonly number: number; readonly event: LifecycleEvent }[] = [];
  readonly #groups = new Map<string, GroupState>();
  #count = 0;
  #waiting: (() => void)[] = [];

  append(event: LifecycleEvent): void {
    this.#entries.push({ number: ++this.#count, event });
    if (this.#entries.length > LIFECYCLE_KEPT_MAX) this.#entries.shift();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  group(group: string): ConsumerGroup<LifecycleEntry> {
    let state = this.#groups.get(group);
    if (state === undefined) {
      state = { holder: undefined, heldUntilMs: 0, done: this.#count };
      this.#groups.set(group, state);
    }
    return new MemoryLifecycleGroup(state, {
      after: number => this.#entries.filter(entry => entry.number > number),
      wait: ms => this.#wait(ms),
    });
  }

  async #wait(ms: number): Promise<void> {
    const ended = new AbortController();
    const woken = new Promise<void>(resolve => this.#waiting.push(resolve));
    // Whichever is first; the other is called off.
    await Promise.race([woken, delay(ms, undefined, { signal: ended.signal, ref: false }).catch(() => {})]);
    ended.abort();
  }
}

interface Entries {
  after(number: number): { readonly number: number; readonly event: LifecycleEvent }[];
  wait(ms: number): Promise<void>;
}

class MemoryLifecycleGroup implements ConsumerGroup<LifecycleEntry> {
  readonly #state: GroupState;
  readonly #entries: Entries;
  #positions = new LifecyclePositions();
  readonly #attempts = new Map<string, number>();

  constructor(state: GroupState, entries: Entries) {
    this.#state = state;
    this.#entries = entries;
  }

  async hold(consumer: string, leaseMs: number): Promise<boolean> {
    const state = this.#state;
    const nowMs = performance.now();
    const isHeld = state.holder !== undefined && nowMs < state.heldUntilMs;
    if (isHeld && state.holder !== consumer) return false;
    if (!isHeld) {
      this.#positions = new LifecyclePositions();
      this.#positions.begin(PARTITION, `${state.done}-0`);
    }
    state.holder = consumer;
    state.heldUntilMs = nowMs + leaseMs;
    return true;
  }

  async release(consumer: string): Promise<void> {
    if (this.#state.holder === consumer) this.#state.holder = undefined;
  }

  async read(consumer: string, { limit, waitMs }: { limit: number; waitMs: number }): Promise<LifecycleEntry[]> {
    const next = (): LifecycleEntry[] => {
      this.#assertHeld(consumer);
      const from = Number.parseInt(this.#positions.next(PARTITION), 10);
      return this.#entries
        .after(from)
        .slice(0, limit)
        .map(({ number, event }) => {
          this.#positions.given(PARTITION, `${number}-0`);
          return { entryId: lifecycleEntryId(PARTITION, `${number}-0`), event, attempt: 1 };
        });
    };
    const found = next();
    if (found.length > 0) return found;
    await this.#entries.wait(waitMs);
    return next();
  }

  async retry(consumer: string, entryId: string): Promise<number> {
    this.#assertHeld(consumer);
    const attempt = (this.#attempts.get(entryId) ?? 1) + 1;
    this.#attempts.set(entryId, attempt);
    return attempt;
  }

  async acknowledge(consumer: string, entryIds: readonly string[]): Promise<void> {
    this.#assertHeld(consumer);
    for (const entryId of entryIds) {
      this.#attempts.delete(entryId);
      const done = this.#positions.finish(...parseLifecycleEntryId(entryId));
      if (done !== undefined) this.#state.done = Number.parseInt(done, 10);
    }
  }

  deadLetter(consumer: string, entryId: string): Promise<void> {
    return this.acknowledge(consumer, [entryId]);
  }

  #assertHeld(consumer: string): void {
    const { holder, heldUntilMs } = this.#state;
    if (holder === consumer && performance.now() < heldUntilMs) return;
    throw new HubbubError('FORBIDDEN', 'Another consumer of the group has the lease now.');
  }
}
