/** Handles entries until they succeed, are given up, or are another instance's. */
import { beginningOf, HubbubError, toWellFormed } from '@hubbub/protocol';
import pLimit, { type LimitFunction } from 'p-limit';
import { LinkedSignal, pause } from './linked-signal.js';
import type { ConsumerSettings } from './settings.js';
import type { Entry, Source } from './source.js';
import type { Term } from './term.js';

/** Handles the entries of a batch; all of them have failed if it throws. */
export type Handler<Of extends Entry> = (entries: readonly Of[], signal: AbortSignal) => unknown;

/** The consequence of a failed attempt. */
export interface Verdict {
  /** A further attempt would fail as well: the entry is given up now. */
  readonly isFinal?: boolean;
  /** The next attempt begins no earlier. */
  readonly retryAfterMs?: number;
}
export type VerdictOf = (error: unknown) => Verdict;

export interface AttemptsParts<Of extends Entry> {
  readonly source: Source<Of>;
  readonly handle: Handler<Of>;
  readonly verdictOf?: VerdictOf;
}

const RETRY_DELAY_FACTOR_MAX = 100;
/** Between two attempts to record the outcome of an entry in Redis. */
const RECORD_DELAY_MS = 100;
const DEAD_LETTER_REASON_MAX = 500;
/** An entry of which so many tries ended with the process may be what ends it. */
const SUSPECT_ATTEMPT = 3;
/** Handled entries whose outcome Redis has not recorded; entries that another instance took are never requested again. */
const UNRECORDED_MAX = 4096;

/** The outcome of an attempt: `over` is neither; the next owner of the entry tries it again. */
type Outcome = { readonly is: 'done' } | { readonly is: 'over' } | { readonly is: 'failed'; readonly error: unknown };

export class Attempts<Of extends Entry> {
  readonly #source: Source<Of>;
  readonly #handle: Handler<Of>;
  readonly #verdictOf: VerdictOf;
  readonly #settings: ConsumerSettings<Of>;
  readonly #closing: AbortSignal;
  readonly #limit: LimitFunction;
  /**
   * Tries suspects one at a time: when a process ends, only the entry in progress is counted. The others do not become dead
   * letters with it.
   */
  readonly #limitSuspects = pLimit(1);
  readonly #unrecorded = new Set<string>();

  constructor(parts: AttemptsParts<Of>, settings: ConsumerSettings<Of>, closing: AbortSignal) {
    this.#source = parts.source;
    this.#handle = parts.handle;
    this.#verdictOf = parts.verdictOf ?? (() => ({}));
    this.#settings = settings;
    this.#closing = closing;
    this.#limit = pLimit(settings.concurrency);
  }

  /** Never rejects. An entry that is not done when the term ends is given out again: nothing is lost. */
  async finish(entries: readonly Of[], term: Term<Of>): Promise<void> {
    const isTaken = entries.length > 1 && (await this.#finishTogether(entries, term));
    if (isTaken) return;
    for (const entry of entries) await this.#finishSingly(entry, term, entries.length > 1 ? 2 : entry.attempt);
  }

  /** Makes the first attempt at all entries together. Returns whether it decided about them. */
  async #finishTogether(entries: readonly Of[], term: Term<Of>): Promise<boolean> {
    if (entries.some(({ entryId }) => this.#unrecorded.has(entryId))) return false;
    const outcome = await this.#limit(() => this.#try(entries, term));
    if (outcome.is === 'over') return true;
    if (outcome.is === 'done') {
      await this.#done(entries, term);
      return true;
    }
    for (const entry of entries) this.#settings.onError(outcome.error, entry);
    const { isFinal, retryAfterMs } = this.#verdictOf(outcome.error);
    // The cause may be one of them: the others must not wait, and not be given up with it.
    if (isFinal !== true) await pause(this.#backoffMs(1, retryAfterMs), term.signal, this.#closing);
    return false;
  }

  async #finishSingly(given: Of, term: Term<Of>, nextAttempt: number): Promise<void> {
    const { maxAttempts, onError } = this.#settings;
    // Done in an earlier term of this instance, which ended before Redis recorded it.
    if (this.#unrecorded.has(given.entryId)) return await this.#done([given], term);
    const isSuspect = given.attempt >= Math.min(SUSPECT_ATTEMPT, maxAttempts);
    for (let attempt = nextAttempt; ; attempt++) {
      if (attempt > maxAttempts) return await this.#giveUp(given, new Error('every attempt ended the service'), term);
      const entry = { ...given, attempt };
      const trial = () => this.#limit(() => this.#try([entry], term));
      const outcome = isSuspect ? await this.#limitSuspects(trial) : await trial();
      if (outcome.is === 'done') return await this.#done([entry], term);
      if (outcome.is === 'over') return;
      onError(outcome.error, entry);
      const { isFinal, retryAfterMs } = this.#verdictOf(outcome.error);
      if (isFinal === true || attempt >= maxAttempts) return await this.#giveUp(entry, outcome.error, term);
      await pause(this.#backoffMs(attempt, retryAfterMs), term.signal, this.#closing);
    }
  }

  async #try(entries: readonly Of[], term: Term<Of>): Promise<Outcome> {
    // Another instance may have the entry by now. It is not acknowledged, so it is not lost.
    if (!term.held || this.#closing.aborted) return { is: 'over' };
    const [entry] = entries;
    // The first try is counted as it is given out; only single entries have a second.
    if (entry !== undefined && entry.attempt > 1) {
      const counted = await this.#record(term, consumer => this.#source.retry(consumer, entry.entryId));
      if (counted === undefined || this.#closing.aborted) return { is: 'over' };
    }
    const { handlerTimeoutMs } = this.#settings;
    const linked = new LinkedSignal(term.signal);
    let timer: NodeJS.Timeout | undefined;
    const overdue = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        linked.abort();
        reject(new Error(`The handler took longer than handlerTimeoutMs (${handlerTimeoutMs} ms).`));
      }, handlerTimeoutMs);
    });
    try {
      await Promise.race([(async () => this.#handle(entries, linked.signal))(), overdue]);
      return { is: 'done' };
    } catch (error) {
      return { is: 'failed', error };
    } finally {
      clearTimeout(timer);
      linked.unlink();
    }
  }

  async #done(entries: readonly Of[], term: Term<Of>): Promise<void> {
    const ids = entries.map(({ entryId }) => entryId);
    const isRecorded = await this.#record(term, async consumer => {
      await this.#source.acknowledge(consumer, ids);
      return true;
    });
    for (const id of ids) this.#unrecorded.delete(id);
    if (isRecorded === true) return;
    for (const id of ids) this.#unrecorded.add(id);
    for (const oldest of this.#unrecorded) {
      if (this.#unrecorded.size <= UNRECORDED_MAX) break;
      this.#unrecorded.delete(oldest);
    }
  }

  async #giveUp(entry: Of, error: unknown, term: Term<Of>): Promise<void> {
    const reason = beginningOf(
      toWellFormed(error instanceof Error ? error.message : String(error)),
      DEAD_LETTER_REASON_MAX,
    );
    const isRecorded = await this.#record(term, async consumer => {
      await this.#source.deadLetter(consumer, entry.entryId, reason);
      return true;
    });
    if (isRecorded === true) this.#settings.onDeadLetter(entry, error);
  }

  /** Records an outcome in Redis, and retries while Redis does not answer; `undefined` when the term is over. */
  async #record<Answer>(term: Term<Of>, write: (consumer: string) => Promise<Answer>): Promise<Answer | undefined> {
    while (term.held) {
      try {
        return await write(term.consumer);
      } catch (error) {
        if (error instanceof HubbubError && error.code === 'FORBIDDEN') {
          term.lost();
          return undefined;
        }
        this.#settings.onError(error);
        await pause(RECORD_DELAY_MS, term.signal);
      }
    }
    return undefined;
  }

  #backoffMs(attempt: number, atLeastMs = 0): number {
    const factor = Math.min(RETRY_DELAY_FACTOR_MAX, 2 ** (attempt - 1));
    return Math.max(atLeastMs, this.#settings.retryDelayMs * factor * (0.5 + Math.random() / 2));
  }
}
