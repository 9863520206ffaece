/** One namespace's events in memory, and how far its groups are. */
import { DEAD_LETTERS_MAX, type DeadLetter, type EventBacklog } from '../event-log.js';

/** A group's place. */
export interface MemoryGroupState {
  /** Everything below it was given out. */
  next: number;
  /** Given out and not acknowledged, in order: sequence → attempts. */
  readonly pending: Map<number, number>;
  lease: { readonly consumer: string; readonly untilMs: number } | undefined;
  readonly dead: DeadLetter[];
}

export class MemoryEventStream {
  /** Entries without a hole; the first one's sequence is `#first`. Fields, as on Redis, so that readers share no object. */
  readonly #entries: (readonly string[])[] = [];
  #first: number;
  readonly #groups = new Map<string, MemoryGroupState>();
  #letters = 0;
  readonly #waiting = new Set<() => void>();
  readonly answers = new Map<string, { readonly entryId: string; readonly expiresAtMs: number }>();
  ttlMs: number;
  expiresAtMs: number;

  constructor(firstSequence: number, ttlMs: number) {
    this.#first = firstSequence;
    this.ttlMs = ttlMs;
    this.expiresAtMs = Date.now() + ttlMs;
  }

  get length(): number {
    return this.#entries.length;
  }

  get nextSequence(): number {
    return this.#first + this.#entries.length;
  }

  touch(): void {
    this.expiresAtMs = Date.now() + this.ttlMs;
  }

  push(fields: readonly string[]): string {
    const entryId = entryIdOf(this.nextSequence);
    this.#entries.push(fields);
    for (const wake of this.#waiting) wake();
    return entryId;
  }

  fieldsOf(sequence: number): readonly string[] | undefined {
    return this.#entries[sequence - this.#first];
  }

  /** Looks without founding the group. */
  find(name: string): MemoryGroupState | undefined {
    return this.#groups.get(name);
  }

  /** The group, founded where there is none: it gets every event that is there. */
  group(name: string): MemoryGroupState {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = { next: this.#first, pending: new Map(), lease: undefined, dead: [] };
      this.#groups.set(name, group);
    }
    return group;
  }

  nextLetterNumber(): number {
    return ++this.#letters;
  }

  deadLetter(group: MemoryGroupState, letter: DeadLetter): void {
    group.dead.push(letter);
    if (group.dead.length > DEAD_LETTERS_MAX) group.dead.shift();
  }

  /** Forgets what every group has taken and acknowledged, and nothing while there is no group. */
  trim(): void {
    if (this.#groups.size === 0) return;
    const wanted = Array.from(this.#groups.values(), ({ pending, next }) => pending.keys().next().value ?? next);
    const done = Math.min(...wanted) - this.#first;
    this.#entries.splice(0, done);
    this.#first += done;
  }

  backlog(): EventBacklog {
    const groups = Array.from(this.#groups, ([group, { next, pending }]) => ({
      group,
      waiting: this.nextSequence - next + pending.size,
    }));
    return { length: this.length, groups };
  }

  /** Resolves at the next event, or after `waitMs`, or when the signal is aborted. */
  async rings(waitMs: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>(resolve => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, waitMs);
      this.#waiting.add(done);
      signal.addEventListener('abort', done);
    });
  }
}

export function entryIdOf(sequence: number): string {
  return `${sequence}-0`;
}

export function sequenceOf(entryId: string): number {
  return Number.parseInt(entryId, 10);
}
