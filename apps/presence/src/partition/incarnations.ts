/** The incarnations a partition has heard of: a short number for each in its rows, and which of them are gone. */
import type { Deadlines } from './deadlines.js';
import type { Journal } from './journal.js';

/**
 * How long a report may still arrive after its edge was declared dead: from the buffer of a paused process. (The
 * reporter of an edge checks its lease before it appends; this is the second bolt.)
 */
export const GONE_REMEMBERED_MS = 3_600_000;

/** Fields of `meta`: `i<index>` = incarnation, `g<incarnation>` = when it went. */
const INDEX_FIELD = 'i';
const GONE_FIELD = 'g';

export class Incarnations {
  readonly #journal: Journal;
  readonly #deadlines: Deadlines;
  readonly #indexes = new Map<string, number>();
  readonly #names = new Map<number, string>();
  readonly #goneAtMs = new Map<string, number>();
  #lastIndex = 0;

  constructor(journal: Journal, deadlines: Deadlines) {
    this.#journal = journal;
    this.#deadlines = deadlines;
  }

  /** The highest number given so far. */
  get lastIndex(): number {
    return this.#lastIndex;
  }

  /** Takes back what `meta` holds. @param lastIndex a number that was given before, even if no row names it any more */
  restore(meta: ReadonlyMap<string, string>, lastIndex: number): void {
    this.#lastIndex = lastIndex;
    for (const [field, value] of meta) {
      if (field.startsWith(GONE_FIELD)) {
        this.#remember(field.slice(1), Number(value));
      } else if (field.startsWith(INDEX_FIELD) && /^\d+$/.test(field.slice(1))) {
        this.#name(Number(field.slice(1)), value);
      }
    }
  }

  /** The number of a living incarnation, given at its first report. */
  indexOf(incarnation: string): number {
    const known = this.#indexes.get(incarnation);
    if (known !== undefined) return known;
    const index = this.#lastIndex + 1;
    this.#name(index, incarnation);
    this.#journal.metaChanged(`${INDEX_FIELD}${index}`, incarnation);
    return index;
  }

  /** The number, if it has one. */
  find(incarnation: string): number | undefined {
    return this.#indexes.get(incarnation);
  }

  nameOf(index: number): string | undefined {
    return this.#names.get(index);
  }

  isGone(incarnation: string): boolean {
    return this.#goneAtMs.has(incarnation);
  }

  living(): string[] {
    return [...this.#indexes.keys()].filter(incarnation => !this.isGone(incarnation));
  }

  /** Indexes whose sessions must still be removed. */
  goneIndexes(): number[] {
    return [...this.#indexes].filter(([name]) => this.isGone(name)).map(([, index]) => index);
  }

  declareGone(incarnation: string, nowMs: number): void {
    this.#remember(incarnation, nowMs);
    this.#journal.metaChanged(`${GONE_FIELD}${incarnation}`, String(nowMs));
  }

  /** No row names this number any more. */
  release(index: number): void {
    const incarnation = this.#names.get(index);
    if (incarnation === undefined) return;
    this.#names.delete(index);
    this.#indexes.delete(incarnation);
    this.#journal.metaChanged(`${INDEX_FIELD}${index}`, undefined);
  }

  /** Called when the memory of a gone incarnation is due to be given up. */
  forget(incarnation: string): void {
    if (this.#goneAtMs.delete(incarnation)) this.#journal.metaChanged(`${GONE_FIELD}${incarnation}`, undefined);
  }

  #name(index: number, incarnation: string): void {
    this.#indexes.set(incarnation, index);
    this.#names.set(index, incarnation);
    this.#lastIndex = Math.max(this.#lastIndex, index);
  }

  #remember(incarnation: string, goneAtMs: number): void {
    this.#goneAtMs.set(incarnation, goneAtMs);
    this.#deadlines.set({ kind: 'incarnation', incarnation, atMs: goneAtMs + GONE_REMEMBERED_MS });
  }
}
