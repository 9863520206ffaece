/**
 * A client that wants to be in one room, as a browser does. It retries until it is in, ends an attempt that takes too long, and
 * keeps the delays that an edge names.
 */
import { RawSocket } from '@hubbub/tools/kit';

/** The SDK's default for a connection attempt. */
const ATTEMPT_WITHIN_MS = 5000;
/** After a failed attempt without a Retry-After, doubled up to the longest one, with full jitter. */
const BACKOFF = { firstMs: 500, longestMs: 10_000 };
const WELCOME = Buffer.from('{"type":"welcome"');
const ACK = Buffer.from('{"type":"ack"');
const ERROR = Buffer.from('{"type":"error"');
const DELAY = Buffer.from('"retry_after_ms":');

/**
 * @typedef {object} Visitors what all clients of a process share
 * @property {() => number} nextPort @property {() => string} nextAddress
 * @property {() => number} now microseconds
 * @property {import('./histogram.mjs').Histogram} latencies from the beginning of the attempt that succeeded
 * @property {Record<'attempts' | 'entered' | 'refused' | 'tooLate' | 'failed' | 'thrownOut' | 'acks' | 'errors', number>} counts
 * @property {boolean} leaving
 */

export class PersistentClient {
  isIn = false;
  #visitors;
  #room;
  #token;
  #socket;
  #failures = 0;
  #timer;
  /** Sending times of publishes without an answer, in order. */
  #unanswered = [];
  /** Microseconds: publishes wait until then. */
  #heldUntilUs = 0;

  /** @param {Visitors} visitors @param {{ room: string, token: string }} who */
  constructor(visitors, { room, token }) {
    this.#visitors = visitors;
    this.#room = room;
    this.#token = token;
    this.#connect();
  }

  /** Loses its connection and wants to be in again. */
  drop() {
    this.isIn = false;
    this.#unanswered = [];
    this.#socket.destroy();
    this.#connect();
  }

  close() {
    clearTimeout(this.#timer);
    this.#socket?.destroy();
  }

  /** @param {number} unansweredMax @returns {boolean} whether it published; false while too many are unanswered, or a delay lasts */
  publish(unansweredMax) {
    const nowUs = this.#visitors.now();
    if (!this.isIn || this.#unanswered.length >= unansweredMax || nowUs < this.#heldUntilUs) return false;
    this.#unanswered.push(nowUs);
    this.#socket.send(`{"type":"send_message","id":"p","room":"${this.#room}","payload":{"text":"overload"}}`);
    return true;
  }

  #connect() {
    const { nextPort, nextAddress, counts, now } = this.#visitors;
    const beganUs = now();
    let retryAfterMs;
    counts.attempts++;
    const again = () => {
      clearTimeout(this.#timer);
      if (this.#visitors.leaving) return;
      const ceilingMs = Math.min(BACKOFF.longestMs, BACKOFF.firstMs * 2 ** this.#failures++);
      this.#timer = setTimeout(() => this.#connect(), retryAfterMs ?? Math.random() * ceilingMs);
    };
    const socket = new RawSocket({
      port: nextPort(),
      localAddress: nextAddress(),
      path: `/rooms/${this.#room}/ws`,
      headers: { Authorization: `Bearer ${this.#token}` },
      onData: (bytes, start, length) => this.#data(bytes.subarray(start, start + length), beganUs),
      onRefused: delayMs => {
        counts.refused++;
        retryAfterMs = delayMs;
      },
      onEnd: why => {
        if (this.isIn) counts.thrownOut++;
        else if (!why.startsWith('refused')) counts.failed++;
        this.isIn = false;
        this.#unanswered = [];
        again();
      },
    });
    this.#socket = socket;
    this.#timer = setTimeout(() => {
      counts.tooLate++;
      socket.destroy();
      again();
    }, ATTEMPT_WITHIN_MS);
  }

  #data(frame, beganUs) {
    const { counts, latencies, now } = this.#visitors;
    if (startsWith(frame, ACK) || startsWith(frame, ERROR)) {
      const sentUs = this.#unanswered.shift();
      if (sentUs === undefined) return;
      if (startsWith(frame, ERROR)) {
        counts.errors++;
        this.#heldUntilUs = Math.max(this.#heldUntilUs, now() + delayMsOf(frame) * 1000);
      } else {
        counts.acks++;
        latencies.record(now() - sentUs);
      }
    } else if (!this.isIn && startsWith(frame, WELCOME)) {
      clearTimeout(this.#timer);
      this.isIn = true;
      this.#failures = 0;
      counts.entered++;
      latencies.record(now() - beganUs);
    }
  }
}

function delayMsOf(frame) {
  const at = frame.indexOf(DELAY);
  return at < 0 ? 0 : Number.parseInt(frame.toString('latin1', at + DELAY.length, at + DELAY.length + 10), 10);
}

function startsWith(frame, start) {
  return frame.compare(start, 0, start.length, 0, start.length) === 0;
}
