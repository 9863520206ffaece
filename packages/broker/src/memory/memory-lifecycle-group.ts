/** A group of the lifecycle events of one process. */
import { HubbubError, type LifecycleEvent, type LifecycleGap } from '@hubbub/protocol';
import { DEAD_LETTERS_MAX } from '../event-log.js';
import { replayEntryId } from '../lifecycle-entry-ids.js';
import type { LifecycleEntry, LifecycleGroup, LifecycleLetter } from '../lifecycle-log.js';
import { LifecycleTenure } from '../lifecycle-tenure.js';

/** In memory all events are in one partition. */
const PARTITION = 0;

/** A group's place, between its consumers. */
export interface LifecycleGroupState {
  holder: string | undefined;
  heldUntilMs: number;
  /** Number of the last entry that is done with all before it. */
  done: number;
  gap: { readonly reason: LifecycleGap['reason']; readonly id: string } | undefined;
  readonly dead: LifecycleLetter[];
  readonly replays: Map<string, LifecycleLetter['event']>;
  /** Of letters and replays. */
  count: number;
}

export interface NumberedEvent {
  readonly number: number;
  readonly event: LifecycleEvent;
}

/** The events of the process, as a group reads them. */
export interface MemoryLifecycleEvents {
  after(number: number): readonly NumberedEvent[];
  /** Number of the oldest event that is still kept, or of the next one. */
  readonly oldest: number;
  wait(ms: number): Promise<void>;
  /** Ends every wait. */
  wake(): void;
}

export class MemoryLifecycleGroup implements LifecycleGroup {
  readonly #state: LifecycleGroupState;
  readonly #events: MemoryLifecycleEvents;
  #tenure = new LifecycleTenure('');

  constructor(state: LifecycleGroupState, events: MemoryLifecycleEvents) {
    this.#state = state;
    this.#events = events;
  }

  async hold(consumer: string, leaseMs: number): Promise<boolean> {
    const state = this.#state;
    const nowMs = performance.now();
    const isHeld = state.holder !== undefined && nowMs < state.heldUntilMs;
    if (isHeld && state.holder !== consumer) return false;
    if (!isHeld) {
      this.#tenure = new LifecycleTenure(consumer);
      if (state.gap !== undefined) this.#tenure.openGap(state.gap.reason, state.gap.id);
      this.#noticeGap(this.#tenure, state.done);
      // Behind the gap, which is noticed once.
      state.done = Math.max(state.done, this.#events.oldest - 1);
      this.#tenure.positions.begin(PARTITION, `${state.done}-0`);
    }
    state.holder = consumer;
    state.heldUntilMs = nowMs + leaseMs;
    return true;
  }

  async release(consumer: string): Promise<void> {
    if (this.#state.holder === consumer) this.#state.holder = undefined;
  }

  async read(consumer: string, { limit, waitMs }: { limit: number; waitMs: number }): Promise<LifecycleEntry[]> {
    const found = this.#next(consumer, limit);
    if (found.length > 0) return found;
    await this.#events.wait(waitMs);
    return this.#next(consumer, limit);
  }

  async retry(consumer: string, entryId: string): Promise<number> {
    const given = this.#held(consumer).given(entryId);
    if (given === undefined) throw lost();
    given.attempt++;
    return given.attempt;
  }

  async acknowledge(consumer: string, entryIds: readonly string[]): Promise<void> {
    const { moved, replays, closesGap } = this.#held(consumer).finish(entryIds);
    for (const done of moved.values()) this.#state.done = Number.parseInt(done, 10);
    for (const id of replays) this.#state.replays.delete(id);
    if (closesGap) this.#state.gap = undefined;
  }

  async deadLetter(consumer: string, entryId: string, reason: string): Promise<void> {
    const given = this.#held(consumer).given(entryId);
    const { dead } = this.#state;
    if (given !== undefined) {
      const letterId = `${++this.#state.count}-0`;
      dead.push({ letterId, entryId, ...given, reason, buriedAtMs: Date.now() });
      if (dead.length > DEAD_LETTERS_MAX) dead.shift();
    }
    await this.acknowledge(consumer, [entryId]);
  }

  async deadLetters(limit: number): Promise<readonly LifecycleLetter[]> {
    return this.#state.dead.slice(0, limit);
  }

  async replay(letterId: string): Promise<string | undefined> {
    const { dead, replays } = this.#state;
    const at = dead.findIndex(letter => letter.letterId === letterId);
    if (at === -1) return undefined;
    const [letter] = dead.splice(at, 1);
    const id = `${++this.#state.count}-0`;
    replays.set(id, letter?.event);
    this.#events.wake();
    return replayEntryId(id);
  }

  #next(consumer: string, limit: number): LifecycleEntry[] {
    const tenure = this.#held(consumer);
    const gap = tenure.giveGap();
    if (gap.length > 0) return gap;
    const from = Number.parseInt(tenure.positions.next(PARTITION), 10);
    this.#noticeGap(tenure, from);
    const after = Number.parseInt(tenure.replaysUpTo, 10);
    const replays = [...this.#state.replays].filter(([id]) => Number.parseInt(id, 10) > after);
    return [
      ...tenure.giveGap(),
      ...replays.slice(0, limit).flatMap(([id, event]) => tenure.giveReplay(id, event)),
      ...this.#events
        .after(from)
        .slice(0, limit)
        .flatMap(({ number, event }) => tenure.give(PARTITION, `${number}-0`, event)),
    ];
  }

  #noticeGap(tenure: LifecycleTenure, from: number): void {
    if (this.#events.oldest <= from + 1) return;
    this.#state.gap = { reason: 'missed', id: `${Date.now()}-0` };
    tenure.openGap(this.#state.gap.reason, this.#state.gap.id);
  }

  #held(consumer: string): LifecycleTenure {
    const { holder, heldUntilMs } = this.#state;
    if (holder === consumer && performance.now() < heldUntilMs) return this.#tenure;
    throw lost();
  }
}

function lost(): HubbubError {
  return new HubbubError('FORBIDDEN', 'Another consumer of the group has the lease now.');
}
