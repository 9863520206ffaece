/**
 * Consumes a log: waits for the lease of the group, reads, hands entries to a handler in order (docs/decisions/0004).
 * At least once: an entry is acknowledged after its handler, never before.
 */
import { setMaxListeners } from 'node:events';
import { HubbubError } from '@hubbub/protocol';
import { Attempts, type Handler, type VerdictOf } from './attempts.js';
import { Lanes } from './lanes.js';
import { pause } from './linked-signal.js';
import { type ConsumerSettings, consumerSettings } from './settings.js';
import type { Consumer, ConsumerOptions, Entry, Source } from './source.js';
import { Term } from './term.js';

export interface Consumption<Of extends Entry> {
  readonly source: Source<Of>;
  /** Entries of one lane are handled one after the other. */
  readonly laneOf: (entry: Of) => string;
  readonly handle: Handler<Of>;
  /** Default: batches of one entry. */
  readonly batches?: BatchRules<Of>;
  /** Default: every failed attempt may be repeated, after the usual delay. */
  readonly verdictOf?: VerdictOf;
}

/**
 * How a lane forms batches of entries that were not attempted before. The entries of a batch that fails are retried singly: one
 * of them may be the cause.
 */
export interface BatchRules<Of extends Entry> {
  readonly maxEntries: number;
  /** A single entry may be larger. */
  readonly maxBytes: number;
  readonly bytesOf: (entry: Of) => number;
  /** Time that a lane waits for more entries before it begins a batch. */
  readonly lingerMs: number;
}

/** Handles the entries of a batch one after the other. */
export function each<Of extends Entry>(handle: (entry: Of, signal: AbortSignal) => unknown): Handler<Of> {
  return async (entries, signal) => {
    for (const entry of entries) await handle(entry, signal);
  };
}

const READ_WAIT_MS = 1000;
const READ_LIMIT = 128;
const TROUBLE_DELAY_MS = 250;
/** A lease that is another's is asked for so often in its life. */
const ASKS_PER_LEASE = 4;
/** Read ahead of what is handled side by side, so that one room with many events does not hold up the others. */
const READ_AHEAD_FACTOR = 16;
const READ_AHEAD_MAX = 4096;

/** @throws {HubbubError} `INVALID_FORMAT` for an option out of its range. */
export function consume<Of extends Entry>(consumption: Consumption<Of>, options: ConsumerOptions<Of>): Consumer {
  return new RunningConsumer(consumption, consumerSettings(options));
}

/** An entry, and the term in which it was read. */
interface Given<Of extends Entry> {
  readonly entry: Of;
  readonly term: Term<Of>;
}

class RunningConsumer<Of extends Entry> implements Consumer {
  readonly #consumption: Consumption<Of>;
  readonly #settings: ConsumerSettings<Of>;
  readonly #attempts: Attempts<Of>;
  readonly #lanes: Lanes<Given<Of>>;
  readonly #closing = new AbortController();
  readonly #stopped: Promise<void>;
  readonly #windowSize: number;
  /** Given out and not yet done, those of an earlier term included. */
  #underway = 0;
  #term: Term<Of> | undefined;
  #hasRoom: () => void = () => {};
  #stopReading: () => void = () => {};

  constructor(consumption: Consumption<Of>, settings: ConsumerSettings<Of>) {
    this.#consumption = consumption;
    this.#settings = settings;
    this.#windowSize = Math.min(READ_AHEAD_MAX, settings.concurrency * READ_AHEAD_FACTOR);
    // One listener for each event that waits for its next try.
    setMaxListeners(0, this.#closing.signal);
    this.#attempts = new Attempts(consumption, settings, this.#closing.signal);
    this.#lanes = new Lanes({
      lingerMs: consumption.batches?.lingerMs ?? 0,
      closing: this.#closing.signal,
      batchSize: waiting => this.#batchSize(waiting),
      work: batch => this.#finish(batch),
    });
    this.#stopped = this.#run();
  }

  get leading(): boolean {
    return this.#term?.held === true;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake();
    await this.#stopped;
    await this.#lanes.idle();
    await this.#term?.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<void> {
    const { leaseMs, onError } = this.#settings;
    const newTerm = () => new Term(this.#consumption.source, { leaseMs, onError, onOver: () => this.#wake() });
    let term = newTerm();
    // Redis may have given the lease although its answer was lost.
    let isUnknown = false;
    while (!this.#closing.signal.aborted) {
      try {
        const isHeld = await term.begin();
        isUnknown = false;
        if (isHeld) {
          await this.#lead(term);
          term = newTerm();
        } else {
          await pause(leaseMs / ASKS_PER_LEASE, this.#closing.signal);
        }
      } catch (error) {
        isUnknown = true;
        onError(error);
        await pause(TROUBLE_DELAY_MS, this.#closing.signal);
      }
    }
    if (isUnknown) await term.end();
  }

  /** Returns when the term is over, or the consumer closes: then the term lasts until the work in progress is done. */
  async #lead(term: Term<Of>): Promise<void> {
    this.#term = term;
    while (term.held) {
      await this.#untilRoom(term);
      if (this.#closing.signal.aborted) return;
      try {
        for (const entry of await this.#read(term)) this.#take(entry, term);
      } catch (error) {
        if (error instanceof HubbubError && error.code === 'FORBIDDEN') break;
        this.#settings.onError(error);
        await pause(TROUBLE_DELAY_MS, this.#closing.signal, term.signal);
      }
    }
    await term.end();
  }

  async #untilRoom(term: Term<Of>): Promise<void> {
    while (this.#underway >= this.#windowSize && term.held && !this.#closing.signal.aborted) {
      await new Promise<void>(resolve => {
        this.#hasRoom = resolve;
      });
    }
  }

  /**
   * A read that does not return (a frozen Redis, a lost network) is abandoned when the term is over or the consumer closes.
   * Entries that it was given and did not return are given out again.
   */
  async #read(term: Term<Of>): Promise<readonly Of[]> {
    if (!term.held) return [];
    const limit = Math.min(READ_LIMIT, this.#windowSize - this.#underway);
    const reading = this.#consumption.source.read(term.consumer, { limit, waitMs: READ_WAIT_MS });
    return await new Promise((resolve, reject) => {
      this.#stopReading = () => resolve([]);
      reading.then(resolve, reject);
    });
  }

  #take(entry: Of, term: Term<Of>): void {
    this.#underway++;
    this.#lanes.add(this.#consumption.laneOf(entry), { entry, term });
  }

  #batchSize(waiting: readonly Given<Of>[]): number {
    const { batches } = this.#consumption;
    const [first] = waiting;
    if (batches === undefined || first === undefined || first.entry.attempt > 1) return 1;
    let bytes = 0;
    let size = 0;
    for (const { entry, term } of waiting) {
      bytes += batches.bytesOf(entry);
      const fits = size < batches.maxEntries && (size === 0 || bytes <= batches.maxBytes);
      if (!fits || entry.attempt > 1 || term !== first.term) break;
      size++;
    }
    return size;
  }

  async #finish(batch: readonly Given<Of>[]): Promise<void> {
    const [first] = batch;
    if (first === undefined) return;
    const entries = batch.map(({ entry }) => entry);
    await this.#attempts.finish(entries, first.term);
    this.#underway -= batch.length;
    this.#hasRoom();
  }

  #wake(): void {
    this.#hasRoom();
    this.#stopReading();
  }
}
