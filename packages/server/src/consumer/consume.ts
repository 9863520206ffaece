/**
 * Consumes a log: waits for the lease of the group, reads, hands entries to a handler in order (docs/decisions/0004).
 * At least once: an entry is acknowledged after its handler, never before.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { HubbubError } from '@hubbub/protocol';
import { Attempts, type Handler } from './attempts.js';
import { Lanes } from './lanes.js';
import type { Consumer, ConsumerOptions, Entry, Source } from './source.js';
import { Term } from './term.js';

export interface Consumption<Of extends Entry> {
  readonly source: Source<Of>;
  /** Entries of one lane are handled one after the other. */
  readonly laneOf: (entry: Of) => string;
  readonly handle: Handler<Of>;
}

const READ_WAIT_MS = 1000;
const TROUBLE_DELAY_MS = 250;
/** A lease that is another's is asked for so often in its life. */
const ASKS_PER_LEASE = 4;

/** @throws {HubbubError} `INVALID_FORMAT` for an option out of its range. */
export function consume<Of extends Entry>(consumption: Consumption<Of>, options: ConsumerOptions): Consumer {
  return new RunningConsumer(consumption, options);
}

class RunningConsumer<Of extends Entry> implements Consumer {
  readonly #consumption: Consumption<Of>;
  readonly #concurrency: number;
  readonly #leaseMs: number;
  readonly #onError: (error: unknown, entry?: Entry) => void;
  readonly #attempts: Attempts<Of>;
  readonly #lanes = new Lanes();
  /** Given out and not yet done: a new term gives them out once more while the old handlers still run. */
  readonly #underway = new Set<string>();
  readonly #closing = new AbortController();
  readonly #stopped: Promise<void>;
  #term: Term<Of> | undefined;
  #done: () => void = () => {};

  constructor(consumption: Consumption<Of>, options: ConsumerOptions) {
    this.#consumption = consumption;
    this.#concurrency = bounded('concurrency', options.concurrency ?? 64, 1, 1000);
    this.#leaseMs = bounded('leaseMs', options.leaseMs ?? 5000, 1000, 60_000);
    this.#onError = options.onError ?? (() => {});
    const attempts = {
      maxAttempts: bounded('maxAttempts', options.maxAttempts ?? 5, 1, 100),
      retryDelayMs: bounded('retryDelayMs', options.retryDelayMs ?? 100, 1, 60_000),
      onError: this.#onError,
      onDeadLetter: options.onDeadLetter ?? (() => {}),
    };
    this.#attempts = new Attempts(consumption.source, consumption.handle, attempts, () => this.#term);
    this.#stopped = this.#run();
  }

  get leading(): boolean {
    return this.#term?.held === true;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#done();
    await this.#stopped;
    await this.#lanes.idle();
    await this.#term?.end();
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      const term = new Term(this.#consumption.source, { leaseMs: this.#leaseMs, onError: this.#onError });
      try {
        if (await term.begin()) await this.#lead(term);
        else await this.#pause(this.#leaseMs / ASKS_PER_LEASE);
      } catch (error) {
        this.#onError(error);
        await this.#pause(TROUBLE_DELAY_MS);
      }
    }
  }

  /** Returns when the term is over, or the consumer closes: then the term lasts until what is under way is done. */
  async #lead(term: Term<Of>): Promise<void> {
    this.#term = term;
    while (term.held) {
      await this.#hasRoom(term);
      if (this.#closing.signal.aborted) return;
      const limit = this.#concurrency - this.#underway.size;
      try {
        const entries = await this.#consumption.source.read(term.consumer, { limit, waitMs: READ_WAIT_MS });
        for (const entry of entries) this.#take(entry);
      } catch (error) {
        if (error instanceof HubbubError && error.code === 'FORBIDDEN') break;
        this.#onError(error);
        await this.#pause(TROUBLE_DELAY_MS);
      }
    }
    await term.end();
  }

  /** Resolves when fewer are under way than may be, or the term is over. */
  async #hasRoom(term: Term<Of>): Promise<void> {
    while (this.#underway.size >= this.#concurrency && term.held && !this.#closing.signal.aborted) {
      await new Promise<void>(resolve => {
        this.#done = resolve;
        term.signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  #take(entry: Of): void {
    if (this.#underway.has(entry.entryId)) return;
    this.#underway.add(entry.entryId);
    this.#lanes.run(this.#consumption.laneOf(entry), async () => {
      // What another instance may have by now is not begun. It is not acknowledged, so it is not lost.
      if (this.leading && !this.#closing.signal.aborted) await this.#attempts.finish(entry);
      this.#underway.delete(entry.entryId);
      this.#done();
    });
  }

  async #pause(ms: number): Promise<void> {
    // Cut short when the consumer closes, which is then found by who asks.
    await delay(ms, undefined, { signal: this.#closing.signal }).catch(() => {});
  }
}

function bounded(name: string, value: number, min: number, max: number): number {
  if (Number.isFinite(value) && value >= min && value <= max) return value;
  throw new HubbubError('INVALID_FORMAT', `${name}: expected a number from ${min} to ${max}`);
}
