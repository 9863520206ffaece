/** Counts what members receive: the order of the messages of each, and the times of all within the measured window. */
import { Histogram } from './histogram.mjs';

/** Checks that the messages of a room reach one member in order, each once. */
export class Sequence {
  /** Number of the next message, when none is lost. */
  expected = 0;
  missed = 0;
  /** Arrived again, or out of order. */
  repeated = 0;

  /** @param {number} number */
  take(number) {
    if (number === this.expected) this.expected++;
    else if (number > this.expected) {
      this.missed += number - this.expected;
      this.expected = number + 1;
    } else this.repeated++;
  }
}

/** Of the members of one process. */
export class Tally {
  /** Messages since the beginning, and messages received within the window. */
  received = 0;
  deliveredInWindow = 0;
  /** Latencies of the messages sent within the window, whenever they arrived. */
  latencies = new Histogram();
  /** Times from sending a message within the window to its ack. */
  acks = new Histogram();
  #clock;
  #fromUs = Number.POSITIVE_INFINITY;
  #toUs = Number.POSITIVE_INFINITY;
  #nowUs = 0;
  #nowIsInWindow = 0;

  /** @param {ReturnType<import('./measurement.mjs').createClock>} clock */
  constructor(clock) {
    this.#clock = clock;
  }

  openWindow(fromUs, toUs) {
    this.#fromUs = fromUs;
    this.#toUs = toUs;
    this.deliveredInWindow = 0;
    this.latencies.clear();
    this.acks.clear();
  }

  /** Reads the clock once for all messages of one socket read. */
  chunk() {
    this.#nowUs = this.#clock.now();
    this.#nowIsInWindow = this.#nowUs >= this.#fromUs && this.#nowUs < this.#toUs ? 1 : 0;
  }

  /** @param {number} sentUs */
  message(sentUs) {
    this.received++;
    this.deliveredInWindow += this.#nowIsInWindow;
    if (sentUs >= this.#fromUs && sentUs < this.#toUs) this.latencies.record(this.#nowUs - sentUs);
  }

  /** @param {number} sentUs */
  ack(sentUs) {
    if (sentUs >= this.#fromUs && sentUs < this.#toUs) this.acks.record(this.#clock.now() - sentUs);
  }
}
