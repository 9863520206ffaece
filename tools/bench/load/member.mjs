/** One member of a room: joins it, checks the number of every message, and tallies its time. Talkers also send messages. */

import { DIALECTS } from './dialects.mjs';
import { Sequence } from './tally.mjs';

/**
 * @typedef {object} MemberRequest
 * @property {number} room its number in the run @property {string} roomName
 * @property {Record<string, string>} headers of the upgrade request
 * @property {boolean} [talks] sends messages, and ignores those that it receives
 */

export class Member {
  sequence = new Sequence();
  /** Frames of other kinds, such as presence. */
  others = 0;
  /** The last of them, to show what was not recognized. */
  otherFrame = '';
  /** Send times of the unacknowledged messages. */
  unacked = [];
  /** Messages that it sent. */
  sent = 0;
  readyUs;
  #dialect;
  #onReady = () => {};
  #socket;
  #options;

  /**
   * @param {MemberRequest & { dialect: string, clock: ReturnType<import('./measurement.mjs').createClock>,
   *   places: import('./messages.mjs').MessagePlaces, tally: import('./tally.mjs').Tally, onTrouble: (what: string) => void }} options
   */
  constructor(options) {
    this.#options = options;
    this.#dialect = DIALECTS[options.dialect];
  }

  get room() {
    return this.#options.room;
  }

  get talks() {
    return this.#options.talks === true;
  }

  /** Why the connection ended; undefined while it is open. */
  get ended() {
    return this.#socket === undefined ? 'not connected' : this.#socket.ended;
  }

  /** Connects or reconnects; resolves when it has joined its room. @param {number} port @returns {Promise<void>} */
  enter(port) {
    const { roomName, headers, tally } = this.#options;
    return new Promise((resolve, reject) => {
      this.#onReady = resolve;
      this.#socket = new (this.#dialect.transport(this.talks))({
        port,
        headers,
        path: this.#dialect.path(roomName, this.talks),
        onOpen: () => this.#dialect.readyOnOpen && this.#ready(),
        onChunk: () => tally.chunk(),
        onData: (bytes, start, length) => this.#data(bytes, start, length),
        onEnd: why => reject(new Error(`A member lost its connection: ${why}`)), // No effect after the join.
      });
    });
  }

  say() {
    const nowUs = this.#options.clock.now();
    this.unacked.push(nowUs);
    this.#socket.send(this.#dialect.encode(this.#options.roomName, this.sent++, nowUs));
  }

  close() {
    this.#socket?.destroy();
  }

  #ready() {
    this.readyUs = this.#options.clock.now();
    this.#onReady();
  }

  #data(bytes, start, length) {
    const { places, tally } = this.#options;
    if (!places.find(bytes, start, length)) return this.#other(bytes.subarray(start, start + length));
    if (this.talks) return;
    this.sequence.take(places.number);
    tally.message(places.timeUs);
  }

  #other(frame) {
    const heard = this.#dialect.hear(frame, this.#socket, this.#options.roomName);
    if (heard === 'ready') return this.#ready();
    if (heard === 'ack') return this.#options.tally.ack(this.unacked.shift()); // Acks of one member arrive in order.
    this.others++;
    this.otherFrame = frame.toString();
    if (heard === 'trouble') this.#options.onTrouble(this.otherFrame);
  }
}
