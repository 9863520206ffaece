/** Comments that keep silent event streams open: proxies and readers end a connection without bytes. */

/** A stream, as far as its heartbeat goes. */
export interface Beating {
  /** Writes a comment, unless something was written since the last call. */
  beat(): void;
}

const TICK_MS = 1000;
const ROUNDS_PER_INTERVAL = 2;

/** One timer for all streams: each second it reaches the part of them that is due, so that each has its turn in a round. */
export class Heartbeats {
  readonly #ticks: number;
  readonly #streams = new Set<Beating>();
  readonly #timer: NodeJS.Timeout;
  #round: Iterator<Beating> = this.#streams.values();

  /** @param intervalMs about the longest time without a byte: a write makes a stream wait for the next of two rounds */
  constructor(intervalMs: number) {
    this.#ticks = Math.max(1, Math.floor(intervalMs / ROUNDS_PER_INTERVAL / TICK_MS));
    this.#timer = setInterval(() => this.#tick(), Math.min(TICK_MS, intervalMs / ROUNDS_PER_INTERVAL)).unref();
  }

  /** Streams that are open. */
  get size(): number {
    return this.#streams.size;
  }

  add(stream: Beating): void {
    this.#streams.add(stream);
  }

  delete(stream: Beating): void {
    this.#streams.delete(stream);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const due = Math.ceil(this.#streams.size / this.#ticks);
    for (let count = 0; count < due; count++) {
      const next = this.#round.next();
      if (next.done === true) {
        this.#round = this.#streams.values();
        return;
      }
      next.value.beat();
    }
  }
}
