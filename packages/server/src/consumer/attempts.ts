/** Handles one entry until it succeeds, is given up, or is another instance's. */
import { beginningOf, HubbubError, toWellFormed } from '@hubbub/protocol';
import { LinkedSignal, pause } from './linked-signal.js';
import type { ConsumerSettings } from './settings.js';
import { Slots } from './slots.js';
import type { Entry, Source } from './source.js';
import type { Term } from './term.js';

export type Handler<Of extends Entry> = (entry: Of, signal: AbortSignal) => unknown;

const RETRY_DELAY_FACTOR_MAX = 100;
/** Between two tries to tell Redis what became of an entry. */
const TELL_DELAY_MS = 100;
const DEAD_LETTER_REASON_MAX = 500;
/** An entry of which so many tries ended with the process may be what ends it. */
const SUSPECT_ATTEMPT = 3;
/** Entries that are done and of which Redis could not be told; what another instance took is never asked for again. */
const UNTOLD_MAX = 4096;

/** What a try came to: `over` is neither; who gets the entry next tries it again. */
type Outcome = { readonly is: 'done' } | { readonly is: 'over' } | { readonly is: 'failed'; readonly error: unknown };

export class Attempts<Of extends Entry> {
  readonly #source: Source<Of>;
  readonly #handle: Handler<Of>;
  readonly #settings: ConsumerSettings<Of>;
  readonly #closing: AbortSignal;
  readonly #slots: Slots;
  /**
   * Suspects are tried one at a time: of those that a process was at when it ended only the one that ends it counts on, and the
   * others do not become dead letters with it.
   */
  readonly #suspects = new Slots(1);
  readonly #untold = new Set<string>();

  constructor(source: Source<Of>, handle: Handler<Of>, settings: ConsumerSettings<Of>, closing: AbortSignal) {
    this.#source = source;
    this.#handle = handle;
    this.#settings = settings;
    this.#closing = closing;
    this.#slots = new Slots(settings.concurrency);
  }

  /** Never rejects. An entry that is not done when the term ends is given out again: nothing is lost. */
  async finish(given: Of, term: Term<Of>): Promise<void> {
    const { maxAttempts, onError } = this.#settings;
    // Done in an earlier term of this instance, which ended before Redis could be told.
    if (this.#untold.has(given.entryId)) return await this.#done(given, term);
    const isSuspect = given.attempt >= Math.min(SUSPECT_ATTEMPT, maxAttempts);
    for (let attempt = given.attempt; ; attempt++) {
      if (attempt > maxAttempts) return await this.#giveUp(given, new Error('every attempt ended the service'), term);
      const entry = { ...given, attempt };
      const trial = () => this.#slots.run(() => this.#try(entry, term));
      const outcome = isSuspect ? await this.#suspects.run(trial) : await trial();
      if (outcome.is === 'done') return await this.#done(entry, term);
      if (outcome.is === 'over') return;
      onError(outcome.error, entry);
      if (attempt >= maxAttempts) return await this.#giveUp(entry, outcome.error, term);
      await pause(this.#backoffMs(attempt), term.signal, this.#closing);
    }
  }

  async #try(entry: Of, term: Term<Of>): Promise<Outcome> {
    // What another instance may have by now is not begun. It is not acknowledged, so it is not lost.
    if (!term.held || this.#closing.aborted) return { is: 'over' };
    if (entry.attempt > 1) {
      // The first try is counted as it is given out.
      const counted = await this.#tell(term, consumer => this.#source.retry(consumer, entry.entryId));
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
      await Promise.race([(async () => this.#handle(entry, linked.signal))(), overdue]);
      return { is: 'done' };
    } catch (error) {
      return { is: 'failed', error };
    } finally {
      clearTimeout(timer);
      linked.unlink();
    }
  }

  async #done({ entryId }: Of, term: Term<Of>): Promise<void> {
    const told = await this.#tell(term, async consumer => {
      await this.#source.acknowledge(consumer, [entryId]);
      return true;
    });
    this.#untold.delete(entryId);
    if (told === true) return;
    for (const oldest of this.#untold) {
      if (this.#untold.size < UNTOLD_MAX) break;
      this.#untold.delete(oldest);
    }
    this.#untold.add(entryId);
  }

  async #giveUp(entry: Of, error: unknown, term: Term<Of>): Promise<void> {
    const reason = beginningOf(
      toWellFormed(error instanceof Error ? error.message : String(error)),
      DEAD_LETTER_REASON_MAX,
    );
    const told = await this.#tell(term, async consumer => {
      await this.#source.bury(consumer, entry.entryId, reason);
      return true;
    });
    if (told === true) this.#settings.onDeadLetter(entry, error);
  }

  /** Tells Redis, and again while it does not answer; `undefined` when the term is over. */
  async #tell<Answer>(term: Term<Of>, tell: (consumer: string) => Promise<Answer>): Promise<Answer | undefined> {
    while (term.held) {
      try {
        return await tell(term.consumer);
      } catch (error) {
        if (error instanceof HubbubError && error.code === 'FORBIDDEN') {
          term.lost();
          return undefined;
        }
        this.#settings.onError(error);
        await pause(TELL_DELAY_MS, term.signal);
      }
    }
    return undefined;
  }

  #backoffMs(attempt: number): number {
    const factor = Math.min(RETRY_DELAY_FACTOR_MAX, 2 ** (attempt - 1));
    return this.#settings.retryDelayMs * factor * (0.5 + Math.random() / 2);
  }
}
