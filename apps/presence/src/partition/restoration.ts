/** The time after a loss of the registry, or of its newest part, while edges report again what members know already. */
import type { Deadlines } from './deadlines.js';
import type { Journal } from './journal.js';
import type { Member } from './room.js';

/** Fields of `meta`: when the restoration ends, and `l<room> <user>` for each member whose leave was announced meanwhile. */
const END_FIELD = 'restoring';
const LEFT_FIELD = 'l';
/** The highest number of an incarnation before the restoration: rows that name no later one may be out of date. */
const OLD_FIELD = 'old';

export class Restoration {
  readonly #journal: Journal;
  readonly #deadlines: Deadlines;
  readonly #left = new Set<string>();
  /** `<room> <user>` of members in old rows of which no edge has reported since. */
  readonly #doubted = new Set<string>();
  #endMs = 0;
  #lastOld: number | undefined;
  #answersEndMs = 0;

  constructor(journal: Journal, deadlines: Deadlines) {
    this.#journal = journal;
    this.#deadlines = deadlines;
  }

  /** The highest number of an incarnation before the restoration; 0 without old rows. */
  get lastOld(): number {
    return this.#lastOld ?? 0;
  }

  /**
   * The registry was lost, or may be old. Stored, so that another owner continues the restoration.
   * @param lastOld the highest number of an incarnation in old rows, where there are any
   */
  begin(endMs: number, lastOld?: number): void {
    this.#endMs = endMs;
    this.#journal.metaChanged(END_FIELD, String(endMs));
    if (lastOld === undefined) return;
    this.#markOld(lastOld);
    this.#journal.metaChanged(OLD_FIELD, String(lastOld));
  }

  /** Reads what `meta` holds. */
  restore(meta: ReadonlyMap<string, string>): void {
    this.#endMs = Number(meta.get(END_FIELD) ?? 0);
    for (const field of meta.keys()) if (field.startsWith(LEFT_FIELD)) this.#remember(field);
    const lastOld = meta.get(OLD_FIELD);
    if (lastOld !== undefined) this.#markOld(Number(lastOld));
  }

  /** Doubts the member of a stored row that names no incarnation of after the loss. */
  memberRestored(room: string, { id, sessions }: Pick<Member, 'id' | 'sessions'>): void {
    const lastOld = this.#lastOld;
    if (lastOld === undefined || [...sessions.values()].some(incarnation => incarnation > lastOld)) return;
    this.#doubted.add(keyOf(room, id));
  }

  /** An edge has reported the member. Returns whether it was in doubt: the other members may have heard of a leave. */
  confirm(room: string, user: string): boolean {
    return this.#doubted.size > 0 && this.#doubted.delete(keyOf(room, user));
  }

  /** Whether the other members may know already that this one has left. */
  doubts(room: string, user: string): boolean {
    return this.#doubted.has(keyOf(room, user));
  }

  /** Members that heard of a leave must hear of the return. */
  memberLeft(room: string, user: string, nowMs: number): void {
    this.#doubted.delete(keyOf(room, user));
    if (nowMs >= this.#endMs) return;
    const field = leftField(room, user);
    this.#remember(field);
    this.#journal.metaChanged(field, '1');
  }

  /**
   * Until then, members that edges report again get the roster. The memory is right, but messages of presence may have been
   * lost with Redis.
   */
  answerUntil(endMs: number): void {
    this.#answersEndMs = endMs;
  }

  /** Whether a member that an edge reports again gets the roster. */
  answers(nowMs: number): boolean {
    return nowMs < this.#answersEndMs;
  }

  /** Whether the other members may know this one from before the loss. */
  covers(room: string, user: string, nowMs: number): boolean {
    return nowMs < this.#endMs && !this.#left.has(leftField(room, user));
  }

  end(): void {
    for (const field of this.#left) this.#journal.metaChanged(field, undefined);
    this.#left.clear();
    this.#doubted.clear();
    if (this.#lastOld !== undefined) this.#journal.metaChanged(OLD_FIELD, undefined);
    this.#lastOld = undefined;
  }

  #markOld(lastOld: number): void {
    this.#lastOld = lastOld;
    this.#awaitEnd();
  }

  /** Only where there is something to forget: the end of a restoration alone needs no write. */
  #remember(field: string): void {
    if (this.#left.size === 0) this.#awaitEnd();
    this.#left.add(field);
  }

  #awaitEnd(): void {
    this.#deadlines.set({ kind: 'restoration', atMs: this.#endMs });
  }
}

/** A room's name has no space in it. */
function keyOf(room: string, user: string): string {
  return `${room} ${user}`;
}

function leftField(room: string, user: string): string {
  return LEFT_FIELD + keyOf(room, user);
}
