/** The newest entries about one session, one room or one refused client; repetitions are counted. */
import type { AccountEvent } from '@hubbub/protocol/account';

export interface Happening {
  readonly event: AccountEvent;
  readonly room?: string | undefined;
  /** Of a refused frame. */
  readonly type?: string | undefined;
  readonly code?: string | undefined;
  readonly limit?: string | undefined;
  readonly reason?: string | undefined;
}

export interface TrailEntry extends Happening {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  count: number;
  lastAtMs: number;
}

export const TRAIL_MAX_ENTRIES = 32;

/** About what the fields of an entry take in memory, without its texts. */
const ENTRY_BYTES = 120;

export class Trail {
  /** `concat` makes it exactly as long as it must be: most trails have one entry. */
  #entries: readonly TrailEntry[] = [];
  #dropped = 0;
  #bytes = 0;

  /** Oldest first. */
  get entries(): readonly TrailEntry[] {
    return this.#entries;
  }

  /** Earlier entries that made place. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Estimated. */
  get bytes(): number {
    return this.#bytes;
  }

  add(happening: Happening, atMs: number): void {
    const last = this.#entries.at(-1);
    if (last !== undefined && isSame(last, happening)) {
      last.count++;
      last.lastAtMs = atMs;
      return;
    }
    const { event, room, type, code, limit, reason } = happening;
    this.#entries = this.#entries.concat({ event, room, type, code, limit, reason, atMs, count: 1, lastAtMs: atMs });
    this.#bytes += bytesOf(happening);
    const [oldest, ...others] = this.#entries.length > TRAIL_MAX_ENTRIES ? this.#entries : [];
    if (oldest === undefined) return;
    this.#entries = others;
    this.#bytes -= bytesOf(oldest);
    this.#dropped++;
  }
}

function bytesOf({ room = '', reason = '' }: Happening): number {
  return ENTRY_BYTES + room.length + reason.length;
}

/** Reasons may name numbers that differ each time: they do not make it another one. */
function isSame(one: Happening, other: Happening): boolean {
  return (
    one.event === other.event &&
    one.room === other.room &&
    one.type === other.type &&
    one.code === other.code &&
    one.limit === other.limit
  );
}
