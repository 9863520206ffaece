/**
 * The messages of the benchmarks: chat messages with a number and a send time in digits of fixed width.
 * Receivers check and time them without parsing. Members of all relays get the same fields in frames of the same length.
 */
import { encodeEnvelope } from '@hubbub/protocol';
import { encode } from '@msgpack/msgpack';

export const NUMBER_DIGITS = 8;
export const TIME_DIGITS = 10;
/** As `@socket.io/redis-adapter` and `-emitter` name senders and the kind of packet that an event is. */
const EMITTER = 'bench1';
const EVENT_PACKET = 2;
/** Socket.IO's bytes around the object of the event. */
const SOCKET_IO_FRAME = ['42["new_message",', ']'];

/**
 * The form of published messages:
 * - `frame`: the bytes that members get
 * - `envelope`: Hubbub's own form (docs/redis-contract.md)
 * - `service-json`: plain JSON of a service in any language
 * - `socket-io`: the form of Socket.IO's Redis emitter
 * - `pusher`: an event of a request to the Pusher HTTP API
 * @typedef {'frame' | 'envelope' | 'service-json' | 'socket-io' | 'pusher'} Form
 */

/**
 * @param {{ rooms: readonly string[], frameBytes: number, form: Form }} options
 * @returns {(room: number, number: number, sentUs: number) => Buffer} makes the bytes to publish
 */
export function createMessageMaker({ rooms, frameBytes, form }) {
  const templates = rooms.map(room => templateOf({ room, frameBytes, form }));
  return (room, number, sentUs) => {
    const { template, numberAt, timeAt } = templates[room];
    const bytes = Buffer.from(template);
    writeDigits(bytes, numberAt, NUMBER_DIGITS, number);
    writeDigits(bytes, timeAt, TIME_DIGITS, sentUs);
    if (form !== 'envelope') return bytes;
    const envelope = encodeEnvelope({ encoding: 'json', publishedAtMs: Date.now() }, bytes);
    return Buffer.from(envelope.buffer, envelope.byteOffset, envelope.byteLength);
  };
}

function templateOf({ room, frameBytes, form }) {
  const template = bytesOf({ room, frameBytes, form });
  return {
    template,
    numberAt: template.indexOf('0'.repeat(NUMBER_DIGITS)),
    timeAt: template.indexOf('9'.repeat(TIME_DIGITS)),
  };
}

function bytesOf({ room, frameBytes, form }) {
  if (form === 'socket-io') {
    const [before, after] = SOCKET_IO_FRAME;
    const object = padded(frameBytes - before.length - after.length, text => ({ room, ...messageOf(text) }));
    const packet = { type: EVENT_PACKET, data: ['new_message', object], nsp: '/' };
    return Buffer.from(encode([EMITTER, packet, { rooms: [room], except: [], flags: {} }]));
  }
  if (form === 'pusher') {
    const { event, ...rest } = padded(frameBytes, text => ({
      event: 'new_message',
      channel: room,
      data: JSON.stringify(messageOf(text).payload),
    }));
    return Buffer.from(JSON.stringify({ name: event, ...rest }));
  }
  // An edge writes the room first. With the same order the bare relay's frames are equal byte for byte.
  const { room: named, ...frame } = padded(frameBytes, text => ({ room, ...messageOf(text, 'new_message') }));
  return Buffer.from(JSON.stringify(form === 'frame' ? { room: named, ...frame } : frame));
}

/** Without `id`: it may serve as idempotency key, and every message here has to arrive. */
function messageOf(text, type) {
  return {
    // First, as the edge writes it into plain JSON of services.
    timestamp: '2026-01-01T00:00:00.000Z',
    ...(type !== undefined && { type }),
    payload: { number: '0'.repeat(NUMBER_DIGITS), at: '9'.repeat(TIME_DIGITS), text },
    sender: { id: 'u1', name: 'One' },
  };
}

function padded(bytes, make) {
  const padding = bytes - JSON.stringify(make('')).length;
  if (padding < 0) throw new RangeError(`frameBytes must be at least ${-padding} larger to hold a message.`);
  return make('x'.repeat(padding));
}

/** The value in decimal digits, as in a message. */
export function digits(value, width) {
  return String(value).padStart(width, '0');
}

const ZERO = 0x30;

/** @param {Uint8Array} bytes @param {number} at @param {number} width @param {number} value */
function writeDigits(bytes, at, width, value) {
  let rest = value;
  for (let i = at + width - 1; i >= at; i--) {
    const tenth = Math.floor(rest / 10);
    bytes[i] = ZERO + (rest - tenth * 10);
    rest = tenth;
  }
}

/** Other bytes than digits give a wrong number; the check of the order finds it. @returns {number} */
function readDigits(bytes, at, width) {
  let value = 0;
  for (let i = at; i < at + width; i++) value = value * 10 + (bytes[i] - ZERO);
  return value;
}

const NUMBER = Buffer.from('number');
const TIME = Buffer.from('at');
const [FIRST_LETTER, LAST_LETTER] = [NUMBER[0], NUMBER.at(-1)];
const [QUOTE, BACKSLASH] = [0x22, 0x5c];
/** A MessagePack string of 8 bytes, and one of 10. */
const [FIXSTR_8, FIXSTR_10] = [0xa0 | NUMBER_DIGITS, 0xa0 | TIME_DIGITS];

export class MessagePlaces {
  /** Offsets from the beginning of the payload, by its length. @type {Map<number, { label: number, number: number, time: number, mark: number }>} */
  #byLength = new Map();
  /** Of the last message that `find` read. */
  number = 0;
  timeUs = 0;

  /** Reads number and time of a frame that is a message. @returns {boolean} whether it is one */
  find(bytes, start, length) {
    let place = this.#byLength.get(length);
    if (place === undefined || !matches(bytes, start, place)) {
      place = search(bytes.subarray(start, start + length));
      if (place === undefined) return false;
      this.#byLength.set(length, place);
    }
    this.number = readDigits(bytes, start + place.number, NUMBER_DIGITS);
    this.timeUs = readDigits(bytes, start + place.time, TIME_DIGITS);
    return true;
  }
}

/** Checks the name of the number and the mark before its digits: other frames can have the same length. */
function matches(bytes, start, { label, number, mark }) {
  return (
    bytes[start + label] === FIRST_LETTER &&
    bytes[start + label + NUMBER.length - 1] === LAST_LETTER &&
    bytes[start + number - 1] === mark
  );
}

function search(frame) {
  const label = frame.indexOf(NUMBER);
  if (label < 0) return undefined;
  const behind = label + NUMBER.length;
  if (frame[behind] === FIXSTR_8) {
    const number = behind + 1;
    const time = frame.indexOf(TIME, number + NUMBER_DIGITS) + TIME.length;
    return frame[time] === FIXSTR_10 ? { label, number, time: time + 1, mark: FIXSTR_8 } : undefined;
  }
  const gap = frame[behind] === BACKSLASH ? 5 : 3; // \":\" in the data of a Pusher event, else ":"
  const number = behind + gap;
  const time = frame.indexOf(TIME, number + NUMBER_DIGITS) + TIME.length + gap;
  return frame[number - 1] === QUOTE ? { label, number, time, mark: QUOTE } : undefined;
}
