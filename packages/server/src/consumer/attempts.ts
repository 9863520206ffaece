/** Handles one entry until it succeeds, is given up, or is another instance's. */
import { setTimeout as delay } from 'node:timers/promises';
import { HubbubError } from '@hubbub/protocol';
import type { ConsumerOptions, Entry, Source } from './source.js';
import type { Term } from './term.js';

export type Handler<Of extends Entry> = (entry: Of, signal: AbortSignal) => void | Promise<void>;

export interface AttemptsOptions extends Required<Pick<ConsumerOptions, 'onError' | 'onDeadLetter'>> {
  readonly maxAttempts: number;
  readonly retryDelayMs: number;
}

const RETRY_DELAY_FACTOR_MAX = 100;
/** Between two tries to tell Redis what became of an entry. */
const TELL_DELAY_MS = 100;
const DEAD_LETTER_REASON_MAX = 500;

export class Attempts<Of extends Entry> {
  readonly #source: Source<Of>;
  readonly #handle: Handler<Of>;
  readonly #options: AttemptsOptions;
  /** The term of now: an entry may be begun in one and done in the next. */
  readonly #term: () => Term<Of> | undefined;

  constructor(source: Source<Of>, handle: Handler<Of>, options: AttemptsOptions, term: () => Term<Of> | undefined) {
    this.#source = source;
    this.#handle = handle;
    this.#options = options;
    this.#term = term;
  }

  /** Never rejects. An entry that is not done when the term ends is given out again: nothing is lost. */
  async finish(entry: Of): Promise<void> {
    const { maxAttempts, onError, onDeadLetter } = this.#options;
    for (let attempt: number | undefined = entry.attempt; attempt !== undefined; ) {
      const failure = await this.#try(entry, attempt);
      if (failure === undefined) {
        await this.#tell(consumer => this.#source.acknowledge(consumer, [entry.entryId]));
        return;
      }
      onError(failure.error, entry);
      if (attempt >= maxAttempts) {
        const reason = messageOf(failure.error);
        const told = await this.#tell(async consumer => {
          await this.#source.bury(consumer, entry.entryId, reason);
          return true;
        });
        if (told === true) onDeadLetter(entry, failure.error);
        return;
      }
      await this.#pause(this.#backoffMs(attempt));
      attempt = await this.#tell(consumer => this.#source.retry(consumer, entry.entryId));
    }
  }

  async #try(entry: Of, attempt: number): Promise<{ error: unknown } | undefined> {
    const term = this.#term();
    // Given out so often without an end: it is what ends the service.
    if (attempt > this.#options.maxAttempts) return { error: new Error('every attempt ended the service') };
    try {
      await this.#handle(entry, term?.signal ?? AbortSignal.abort());
      return undefined;
    } catch (error) {
      return { error };
    }
  }

  /** Tells Redis, and again while it does not answer; `undefined` when the term is over. */
  async #tell<Answer>(tell: (consumer: string) => Promise<Answer>): Promise<Answer | undefined> {
    for (let term = this.#term(); term?.held === true; term = this.#term()) {
      try {
        return await tell(term.consumer);
      } catch (error) {
        if (error instanceof HubbubError && error.code === 'FORBIDDEN') {
          term.lost();
          return undefined;
        }
        this.#options.onError(error);
        await this.#pause(TELL_DELAY_MS);
      }
    }
    return undefined;
  }

  async #pause(ms: number): Promise<void> {
    // Cut short by the end of the term, which is then found by who asks.
    await delay(ms, undefined, { signal: this.#term()?.signal ?? AbortSignal.abort() }).catch(() => {});
  }

  #backoffMs(attempt: number): number {
    const factor = Math.min(RETRY_DELAY_FACTOR_MAX, 2 ** (attempt - 1));
    return this.#options.retryDelayMs * factor * (0.5 + Math.random() / 2);
  }
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, DEAD_LETTER_REASON_MAX);
}
