/** What the members of one process received within the measured window, and how late. */
import { Histogram } from './histogram.mjs';

export class Tally {
  /** Messages since the beginning, and those that came within the window. */
  received = 0;
  deliveredInWindow = 0;
  /** Latencies of the messages that were sent within the window, whenever they came. */
  latencies = new Histogram();
  /** From just before a message was sent within the window until its ack was read. */
  acks = new Histogram();
  #clock;
  #fromUs = Number.POSITIVE_INFINITY;
  #toUs = Number.POSITIVE_INFINITY;
  #nowUs = 0;
  #nowIsInWindow = 0;

  /** @param {ReturnType<import('./clock.mjs').createClock>} clock */
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

  /** A read has brought bytes: what is in them came now. One look at the clock for all of them. */
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
