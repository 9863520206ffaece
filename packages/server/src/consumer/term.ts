/** A term: the time in which this instance holds the lease of its group and gets its events. */
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Entry, Source } from './source.js';

export interface TermOptions {
  readonly leaseMs: number;
  readonly onError: (error: unknown) => void;
  /** Called once, when the term is over. */
  readonly onOver: () => void;
}

/** The lease is renewed three times in its life, so that one renewal may fail. */
const RENEWALS_PER_LEASE = 3;

export class Term<Of extends Entry> {
  /** A new name in each term: an instance that lost the lease gets its unacknowledged entries again. */
  readonly consumer = randomUUID();
  readonly #source: Source<Of>;
  readonly #options: TermOptions;
  readonly #ended = new AbortController();
  #heldUntilMs = 0;
  #renewal: NodeJS.Timeout | undefined;
  #expiry: NodeJS.Timeout | undefined;

  constructor(source: Source<Of>, options: TermOptions) {
    this.#source = source;
    this.#options = options;
    // One listener for each event that is being handled.
    setMaxListeners(0, this.#ended.signal);
  }

  /** By this clock: a Redis that does not answer renews nothing. */
  get held(): boolean {
    return !this.#ended.signal.aborted && performance.now() < this.#heldUntilMs;
  }

  /** Aborted when the term ends: work in progress may stop. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /**
   * Whether the lease was free. Asked again after a failure it finds the lease that an answer which was lost gave.
   * @throws {HubbubError} `UNAVAILABLE`
   */
  async begin(): Promise<boolean> {
    if (!(await this.#renew())) return false;
    this.#renewal = setInterval(() => void this.#keep(), this.#options.leaseMs / RENEWALS_PER_LEASE);
    return true;
  }

  /** Lets another instance begin immediately. Never rejects. */
  async end(): Promise<void> {
    this.lost();
    await this.#source.release(this.consumer);
  }

  lost(): void {
    if (this.#ended.signal.aborted) return;
    clearInterval(this.#renewal);
    clearTimeout(this.#expiry);
    this.#ended.abort();
    this.#options.onOver();
  }

  async #keep(): Promise<void> {
    try {
      if (!(await this.#renew())) this.lost();
    } catch (error) {
      this.#options.onError(error);
    }
  }

  async #renew(): Promise<boolean> {
    // Counted from the question, not from the answer: Redis began to count before it answered.
    const untilMs = performance.now() + this.#options.leaseMs;
    const held = await this.#source.hold(this.consumer, this.#options.leaseMs);
    if (held) this.#extend(untilMs);
    return held;
  }

  /** The term ends on time, not when the next renewal fails: another instance begins then. */
  #extend(untilMs: number): void {
    if (this.#ended.signal.aborted || untilMs <= this.#heldUntilMs) return;
    this.#heldUntilMs = untilMs;
    clearTimeout(this.#expiry);
    this.#expiry = setTimeout(() => this.lost(), Math.max(0, untilMs - performance.now()));
  }
}
