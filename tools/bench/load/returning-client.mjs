/** A client that joins one room, checks every message, and resumes after its edge has ended: by itself as the SDK does, or on order. */
import { RawSocket } from '@hubbub/tools/kit';
import { Sequence } from './tally.mjs';

/** A client without its edge reconnects after a random part of this time. */
const JITTER_MS = 3000;
/** Retryable, as PROTOCOL.md section 3 has it. */
const RETRY_AFTER_MS = 250;
const BROADCAST = Buffer.from('scale.broadcast');
/** The most frequent frames while clients connect: skipped without parsing. They name their room first. */
const PASSED_OVER = /^\{"room":"[^"]*","type":"(?:user_joined|user_left|room_info)"/;
const HEAD_BYTES = 200;

/**
 * The state that all clients of a process share.
 * @typedef {object} Crowd
 * @property {'bare' | 'hubbub'} dialect
 * @property {(place: { room: number, member: number }, returns: boolean) => number} portOf among the edges that accept connections
 * @property {() => string} nextAddress source address of the next connection
 * @property {import('./messages.mjs').MessagePlaces} places @property {import('./tally.mjs').Tally} tally
 * @property {Record<'open' | 'returns' | 'refused' | 'notRecovered' | 'heardBroadcast', number>} counts
 * @property {boolean} leaving whether the end of a connection is expected, and no client reconnects by itself
 * @property {() => number} now microseconds
 * @property {(what: string) => void} trouble
 */

export class ReturningClient {
  sequence = new Sequence();
  /** Received copies of the broadcast. */
  broadcasts = 0;
  isOpen = false;
  /** Of the last resume: when its upgrade and its `resume` were answered, and the messages that it replayed. */
  openUs;
  wholeUs;
  replayed = 0;
  #crowd;
  #room;
  #place;
  #token;
  #epoch;
  #socket;
  /** Of the last refusal. */
  #retryAfterMs;
  #returns = false;
  #onUpgrade = () => {};
  #onOpen = () => {};
  #had = 0;

  /** @param {Crowd} crowd @param {{ name: string, place: { room: number, member: number }, token: string }} who `name`: of its room */
  constructor(crowd, { name, place, token }) {
    this.#crowd = crowd;
    this.#room = name;
    this.#place = place;
    this.#token = token;
  }

  /** Resolves when it has joined its room, after any number of attempts. @returns {Promise<void>} */
  enter() {
    return new Promise(resolve => {
      this.#onOpen = resolve;
      this.#connect();
    });
  }

  /** Connects again and resumes: `upgraded` resolves with the upgrade, `whole` with the answer and everything before it. */
  resume() {
    this.openUs = undefined;
    this.#returns = true;
    const upgraded = new Promise(resolve => (this.#onUpgrade = resolve));
    const whole = this.enter();
    return { upgraded, whole };
  }

  get ended() {
    return this.#socket?.ended;
  }

  close() {
    this.#socket?.destroy();
    if (this.isOpen) this.#crowd.counts.open--;
    this.isOpen = false;
  }

  #connect() {
    const { portOf, nextAddress, tally, dialect } = this.#crowd;
    this.#socket = new RawSocket({
      port: portOf(this.#place, this.#returns),
      localAddress: nextAddress(),
      path: this.#returns ? '/ws' : `/rooms/${this.#room}/ws`,
      headers: { Authorization: `Bearer ${this.#token}` },
      onOpen: () => {
        this.openUs = this.#crowd.now();
        this.#onUpgrade();
        if (dialect === 'bare') this.#opened();
        else if (this.#returns) this.#sendResume();
      },
      onRefused: retryAfterMs => {
        this.#retryAfterMs = retryAfterMs;
      },
      onChunk: () => tally.chunk(),
      onData: (bytes, start, length) => this.#data(bytes, start, length),
      onEnd: why => this.#ended(why),
    });
  }

  /** Offsets begin with 1 and numbers with 0: the next expected number is the offset of the last message. */
  #sendResume() {
    this.#had = this.sequence.expected;
    const place = { room_id: this.#room, epoch: this.#epoch, offset: this.sequence.expected };
    this.#socket.send(JSON.stringify({ type: 'resume', id: 'back', payload: { rooms: [place] } }));
  }

  #opened() {
    if (this.isOpen) return;
    this.isOpen = true;
    this.#crowd.counts.open++;
    this.#onOpen();
  }

  #data(bytes, start, length) {
    const { places, tally } = this.#crowd;
    if (!places.find(bytes, start, length)) return this.#other(bytes.subarray(start, start + length));
    this.sequence.take(places.number);
    tally.message(places.timeUs);
  }

  #other(frame) {
    if (PASSED_OVER.test(frame.toString('latin1', 0, HEAD_BYTES))) return;
    const { counts, trouble } = this.#crowd;
    if (frame.indexOf(BROADCAST) >= 0) {
      if (this.broadcasts++ === 0) counts.heardBroadcast++;
      return;
    }
    const { type, payload } = JSON.parse(frame.toString());
    if (type === 'welcome') {
      this.#epoch ??= payload.position?.epoch;
      if (!this.#returns) this.#opened();
    } else if (type === 'ack') this.#resumed(payload.rooms[0]);
    else if (type === 'reconnect') setTimeout(() => this.#leave(), payload.delay_ms);
    else if (type === 'error' || type === 'room_gap') trouble(`${type}: ${payload.code ?? payload.reason}`);
  }

  #resumed({ error, recovered, reason, offset }) {
    const { leaving } = this.#crowd;
    if (error?.code === 'UNAVAILABLE') {
      this.#crowd.counts.refused++;
      setTimeout(
        () => this.ended === undefined && this.#sendResume(),
        leaving ? RETRY_AFTER_MS : Math.random() * JITTER_MS,
      );
      return;
    }
    if (recovered !== true) {
      this.#crowd.counts.notRecovered++;
      this.#crowd.trouble(`not recovered: ${reason ?? JSON.stringify(error)}`);
    } else if (offset !== this.sequence.expected)
      this.#crowd.trouble(`the answer names the offset ${offset}, the last message was ${this.sequence.expected}`);
    this.wholeUs = this.#crowd.now();
    this.replayed = this.sequence.expected - this.#had;
    this.#crowd.counts.returns++;
    this.#opened();
  }

  /** Reconnects at the request of its edge. */
  #leave() {
    if (this.#socket.ended !== undefined || this.#crowd.leaving) return;
    this.close();
    this.#returns = true;
    this.#connect();
  }

  #ended(why) {
    const { counts } = this.#crowd;
    if (this.isOpen) counts.open--;
    else {
      counts.refused++;
      this.#crowd.trouble(`while connecting: ${why}`);
    }
    this.isOpen = false;
    if (this.#crowd.leaving) return;
    this.#returns = this.#epoch !== undefined;
    const delayMs = this.#retryAfterMs ?? Math.random() * JITTER_MS;
    this.#retryAfterMs = undefined;
    setTimeout(() => this.#crowd.leaving || this.#connect(), delayMs);
  }
}
