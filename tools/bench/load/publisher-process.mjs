/** The one publisher of a run: publishes to the rooms' channels in turn, at a steady rate, without waiting for delivery. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { obey } from '@hubbub/tools/kit';
import { createClock } from './measurement.mjs';
import { createMessageMaker } from './messages.mjs';

const TICK_MS = 1;
const NEWLINE = 0x0a;
const LINE_END = Buffer.from('\r\n');

/**
 * PUBLISH over a raw connection. At 4,000 messages a second, a client library would take a fifth of the load's core from the
 * members.
 */
class RedisPublisher {
  /** Messages that did not reach exactly one subscriber. */
  unheard = 0;
  #socket;
  #heads;
  #unanswered = 0;
  #line = '';
  #idle = () => {};

  /** @param {string} url @param {readonly string[]} channels */
  static async open(url, channels) {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await once(socket, 'connect');
    return new RedisPublisher(socket, channels);
  }

  constructor(socket, channels) {
    this.#socket = socket;
    this.#heads = channels.map(name => `*3\r\n$7\r\nPUBLISH\r\n$${Buffer.byteLength(name)}\r\n${name}\r\n`);
    socket.on('data', bytes => this.#read(bytes));
  }

  /** Sends the messages in one write. @param {readonly { channel: number, bytes: Buffer }[]} messages `channel` counts from 0 */
  publish(messages) {
    this.#unanswered += messages.length;
    const parts = messages.flatMap(({ channel, bytes }) => [
      Buffer.from(`${this.#heads[channel]}$${bytes.length}\r\n`),
      bytes,
      LINE_END,
    ]);
    this.#socket.write(Buffer.concat(parts));
  }

  /** Resolves when Redis has answered everything. */
  async answered() {
    if (this.#unanswered > 0) await new Promise(resolve => (this.#idle = resolve));
  }

  close() {
    this.#socket.destroy();
  }

  #read(bytes) {
    for (const byte of bytes) {
      if (byte !== NEWLINE) {
        this.#line += String.fromCharCode(byte);
        continue;
      }
      if (this.#line !== ':1\r') this.unheard++;
      this.#line = '';
      if (--this.#unanswered === 0) this.#idle();
    }
  }
}

/** @type {RedisPublisher} */
let redis;
let clock;
let makeMessage;
let rooms = 0;
/** Messages since the beginning, of all rooms. */
let published = 0;

obey({
  /** @param {{ originUs: number, redisUrl: string, rooms: string[], channels: string[], frameBytes: number, form: string }} order */
  async open(order) {
    clock = createClock(order.originUs);
    makeMessage = createMessageMaker(order);
    rooms = order.rooms.length;
    redis = await RedisPublisher.open(order.redisUrl, order.channels);
  },

  /**
   * Resolves when Redis has accepted the last message. `worstDelayMs` is the publisher's largest delay against its
   * timetable: a large one means that the machine is too busy to publish on time.
   */
  async publish({ perSecond, forMs }) {
    const startUs = clock.now();
    const total = Math.round((perSecond * forMs) / 1000);
    const unheardBefore = redis.unheard;
    let worstDelayUs = 0;
    for (let sent = 0; sent < total; ) {
      const elapsedUs = clock.now() - startUs;
      const due = Math.min(total, Math.floor((elapsedUs * perSecond) / 1e6) + 1);
      if (due > sent) {
        worstDelayUs = Math.max(worstDelayUs, elapsedUs - (sent * 1e6) / perSecond);
        const messages = [];
        for (; sent < due; sent++) messages.push(next());
        redis.publish(messages);
      }
      await new Promise(resolve => setTimeout(resolve, TICK_MS));
    }
    await redis.answered();
    const perRoom = Array.from({ length: rooms }, (_, room) => [room, Math.ceil((published - room) / rooms)]);
    return { published: perRoom, unheard: redis.unheard - unheardBefore, worstDelayMs: worstDelayUs / 1000 };
  },

  async close() {
    redis?.close();
  },
});

function next() {
  const room = published % rooms;
  const number = Math.floor(published++ / rooms);
  return { channel: room, bytes: makeMessage(room, number, clock.now()) };
}
