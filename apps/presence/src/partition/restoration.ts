/** The time after a loss of the registry, while edges report again what members know already. */
import type { Deadlines } from './deadlines.js';
import type { Journal } from './journal.js';

/** Fields of `meta`: when the restoration ends, and `l<room> <user>` for each member whose leave was announced meanwhile. */
const END_FIELD = 'restoring';
const LEFT_FIELD = 'l';

export class Restoration {
  readonly #journal: Journal;
  readonly #deadlines: Deadlines;
  readonly #left = new Set<string>();
  #endMs = 0;

  constructor(journal: Journal, deadlines: Deadlines) {
    this.#journal = journal;
    this.#deadlines = deadlines;
  }

  /** The registry was lost. Stored, so that another owner continues the restoration. */
  begin(endMs: number): void {
    this.#endMs = endMs;
    this.#journal.metaChanged(END_FIELD, String(endMs));
  }

  /** Reads what `meta` holds. */
  restore(meta: ReadonlyMap<string, string>): void {
    this.#endMs = Number(meta.get(END_FIELD) ?? 0);
    for (const field of meta.keys()) if (field.startsWith(LEFT_FIELD)) this.#remember(field);
  }

  /** Members that heard of a leave must hear of the return. */
  memberLeft(room: string, user: string, nowMs: number): void {
    if (nowMs >= this.#endMs) return;
    const field = leftField(room, user);
    this.#remember(field);
    this.#journal.metaChanged(field, '1');
  }

  /** Whether the other members may know this one from before the loss. */
  covers(room: string, user: string, nowMs: number): boolean {
    return nowMs < this.#endMs && !this.#left.has(leftField(room, user));
  }

  end(): void {
    for (const field of this.#left) this.#journal.metaChanged(field, undefined);
    this.#left.clear();
  }

  /** Only where there is something to forget: the end of a restoration alone needs no write. */
  #remember(field: string): void {
    if (this.#left.size === 0) this.#deadlines.set({ kind: 'restoration', atMs: this.#endMs });
    this.#left.add(field);
  }
}

/** A room's name has no space in it. */
function leftField(room: string, user: string): string {
  return `${LEFT_FIELD}${room} ${user}`;
}
