/** The entries that one consumer of a lifecycle group was given, and how far it has come. */
import type { LifecycleGap } from '@hubbub/protocol';
import { gapEntryId, lifecycleEntryId, parseLifecycleEntryId, replayEntryId } from './lifecycle-entry-ids.js';
import type { LifecycleEntry } from './lifecycle-log.js';
import { LifecyclePositions } from './lifecycle-positions.js';
import { LOG_START, type LogPosition } from './report-log.js';

type Event = LifecycleEntry['event'];

export interface Finished {
  /** Up to where everything is done now, for each partition where that has moved. */
  readonly moved: ReadonlyMap<number, LogPosition>;
  /** Ids of replays. */
  readonly replays: readonly string[];
  /** No gap is open any more. */
  readonly closesGap: boolean;
}

export class LifecycleTenure {
  readonly positions = new LifecyclePositions();
  /** Replays up to here were given out. */
  replaysUpTo: LogPosition = LOG_START;
  readonly #given = new Map<string, { readonly event: Event; attempt: number }>();
  #waitingGap: LifecycleEntry | undefined;
  /** The newest one that is not done. */
  #openGap: string | undefined;

  constructor(readonly consumer: string) {}

  /** @param id as of a stream entry: its time is when the gap was noticed */
  openGap(reason: LifecycleGap['reason'], id: string): void {
    const event: LifecycleGap = { event: 'lifecycle_gap', reason, atMs: Number.parseInt(id, 10) };
    this.#openGap = id;
    this.#waitingGap = { entryId: gapEntryId(id), event, attempt: 1 };
  }

  giveGap(): LifecycleEntry[] {
    const { entryId = '', event } = this.#waitingGap ?? {};
    this.#waitingGap = undefined;
    return this.#give(entryId, event);
  }

  /** An entry that is malformed counts as done immediately: no service can handle it. */
  give(partition: number, id: string, event: Event | undefined): LifecycleEntry[] {
    this.positions.given(partition, id);
    if (event === undefined) this.positions.finish(partition, id);
    return this.#give(lifecycleEntryId(partition, id), event);
  }

  giveReplay(id: string, event: Event | undefined): LifecycleEntry[] {
    this.replaysUpTo = id;
    return this.#give(replayEntryId(id), event);
  }

  /** An entry that was given out and is not done. */
  given(entryId: string): { readonly event: Event; attempt: number } | undefined {
    return this.#given.get(entryId);
  }

  finish(entryIds: readonly string[]): Finished {
    const moved = new Map<number, LogPosition>();
    const replays: string[] = [];
    let closesGap = false;
    for (const entryId of entryIds) {
      this.#given.delete(entryId);
      const entry = parseLifecycleEntryId(entryId);
      if (entry.from === 'replays') replays.push(entry.id);
      else if (entry.from === 'gap') closesGap ||= entry.id === this.#openGap;
      else {
        const done = this.positions.finish(entry.partition, entry.id);
        if (done !== undefined) moved.set(entry.partition, done);
      }
    }
    if (closesGap) this.#openGap = undefined;
    return { moved, replays, closesGap };
  }

  #give(entryId: string, event: Event | undefined): LifecycleEntry[] {
    if (event === undefined) return [];
    this.#given.set(entryId, { event, attempt: 1 });
    return [{ entryId, event, attempt: 1 }];
  }
}
