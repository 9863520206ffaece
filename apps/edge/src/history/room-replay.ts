/** Replays of one room: keeps a window of its messages while sessions recover, and reads it back as far as they need. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { HistoryPage, HistoryQuery } from '@hubbub/broker';
import type { Position } from '@hubbub/protocol';
import type { ReplayMemory } from './replay-memory.js';
import { ReplayWindow } from './replay-window.js';
import { type KeptMessage, keptMessagesOf } from './room-message.js';

export type HistoryQueryOfRoom = Omit<HistoryQuery, 'room' | 'ttlMs'>;

export interface ReplayBounds {
  readonly maxReplayMessages: number;
  /** More than that is not replayed to a session, and not read for it. */
  readonly maxReplayBytes: number;
  readonly replayMemory: ReplayMemory;
}

/** The room whose messages are replayed. */
export interface ReplayedRoom {
  readonly room: string;
  readonly position: Position | undefined;
  readonly closed: boolean;
  refresh(): Promise<void>;
}

const WINDOW_IDLE_MS = 2000;
/** The bytes of an envelope beside its body. */
const HEADER_MAX_BYTES = 128;

export class RoomReplay {
  readonly #room: ReplayedRoom;
  readonly #bounds: ReplayBounds;
  readonly #read: (query: HistoryQueryOfRoom) => Promise<HistoryPage>;
  #window: ReplayWindow | undefined;
  #windowTimer: NodeJS.Timeout | undefined;
  /** The history was read back to here, and has nothing older. */
  #oldest = 0;
  #extending: Promise<void> | undefined;
  #extendTo: number | undefined;
  /** A replay from below this offset exceeds `maxReplayBytes`: within an epoch it never shrinks. */
  #tooLargeBelow = 0;

  constructor(room: ReplayedRoom, bounds: ReplayBounds, read: (query: HistoryQueryOfRoom) => Promise<HistoryPage>) {
    this.#room = room;
    this.#bounds = bounds;
    this.#read = read;
  }

  /** The frames behind the position, kept from now on for a moment. Only where the position is known. */
  window(): ReplayWindow {
    if (this.#window?.dropped === true) this.forget();
    const { maxReplayMessages: maxMessages, maxReplayBytes: maxBytes, replayMemory: memory } = this.#bounds;
    this.#window ??= new ReplayWindow(this.#room.room, this.#room.position?.offset ?? 0, {
      maxMessages,
      maxBytes,
      memory,
    });
    this.#window.touch();
    clearTimeout(this.#windowTimer);
    this.#windowTimer = setTimeout(() => this.forget(), WINDOW_IDLE_MS).unref();
    return this.#window;
  }

  /** Whether the history was found not to reach back to `offset`. */
  lacks(offset: number): boolean {
    return offset < this.#oldest;
  }

  /** Whether what follows `offset` was found to be more than is replayed. */
  isTooLarge(offset: number): boolean {
    return offset < this.#tooLargeBelow;
  }

  /** Reads the window back to `offset`: one read for all simultaneous callers. @throws {HubbubError} `UNAVAILABLE` */
  async extend(offset: number): Promise<void> {
    this.#extendTo = Math.min(this.#extendTo ?? offset, offset);
    this.#extending ??= this.#extend().finally(() => {
      this.#extending = undefined;
    });
    await this.#extending;
  }

  /** A live message was delivered. */
  push(message: KeptMessage): void {
    this.#window?.push(message);
  }

  /** Another epoch began, or messages are lost: nothing that is known holds any more. */
  restart(): void {
    this.forget();
    this.#tooLargeBelow = 0;
  }

  forget(): void {
    clearTimeout(this.#windowTimer);
    this.#window?.drop();
    this.#window = undefined;
    this.#oldest = 0;
  }

  async #extend(): Promise<void> {
    await nextTurn(); // Callers of the same turn share the read.
    const window = this.window();
    const after = this.#extendTo ?? window.from;
    this.#extendTo = undefined;
    const epoch = this.#room.position?.epoch;
    const before = window.from + 1;
    const { from } = window;
    const maxBytes = window.freeBytes + (before - after) * HEADER_MAX_BYTES;
    const page = await this.#read({ after, before, limit: before - after, from: 'newest', maxBytes });
    if (this.#room.closed || window !== this.#window || window.dropped) return; // Waiting callers ask again.
    if (page.epoch !== epoch) return this.#room.refresh();
    if (page.tooLargeBelow !== undefined) {
      this.#tooLargeBelow = page.tooLargeBelow;
      return;
    }
    window.prepend(keptMessagesOf(page));
    const oldest = (page.entries[0]?.offset ?? before) - 1;
    if (oldest > after) this.#oldest = oldest;
    // Nothing that was read continues the window: asking again would be the same answer.
    if (window.from === from && from > after) this.#oldest = Math.max(this.#oldest, from);
  }
}
