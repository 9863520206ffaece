/**
 * What services publish: a chat message whose number and time of sending are digits of fixed width, so that a receiver
 * checks and times it without parsing JSON. Members of all relays get the same fields in frames of the same length.
 */
import { encodeEnvelope } from '@hubbub/protocol';
import { encode } from '@msgpack/msgpack';
import { writeDigits } from './digits.mjs';

export const NUMBER_DIGITS = 8;
export const TIME_DIGITS = 10;
/** As `@socket.io/redis-adapter` and `-emitter` name senders and the kind of packet that an event is. */
const EMITTER = 'bench1';
const EVENT_PACKET = 2;
/** What Socket.IO writes around the object of the event. */
const SOCKET_IO_FRAME = ['42["new_message",', ']'];

/**
 * How a relay wants its messages published: `frame`, the bytes that members get; `envelope`, Hubbub's own form
 * (docs/redis-contract.md); `service-json`, what a service in any language publishes; `socket-io`, what Socket.IO's Redis
 * emitter publishes.
 * @typedef {'frame' | 'envelope' | 'service-json' | 'socket-io'} Form
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
    numberAt: placeOf(template, '0'.repeat(NUMBER_DIGITS)),
    timeAt: placeOf(template, '9'.repeat(TIME_DIGITS)),
  };
}

function bytesOf({ room, frameBytes, form }) {
  if (form === 'socket-io') {
    const [before, after] = SOCKET_IO_FRAME;
    const object = padded(frameBytes - before.length - after.length, text => ({ room, ...messageOf(text) }));
    const packet = { type: EVENT_PACKET, data: ['new_message', object], nsp: '/' };
    return Buffer.from(encode([EMITTER, packet, { rooms: [room], except: [], flags: {} }]));
  }
  // An edge names the room first; so the bare relay's frames are the same, byte for byte.
  const { room: named, ...frame } = padded(frameBytes, text => ({ room, ...messageOf(text, 'new_message') }));
  return Buffer.from(JSON.stringify(form === 'frame' ? { room: named, ...frame } : frame));
}

/** No `id`: it may serve as idempotency key, and every message here has to arrive. */
function messageOf(text, type) {
  return {
    // First, as the edge writes it into what services publish as plain JSON.
    timestamp: '2026-01-01T00:00:00.000Z',
    ...(type !== undefined && { type }),
    payload: { number: '0'.repeat(NUMBER_DIGITS), at: '9'.repeat(TIME_DIGITS), text },
    sender: { id: 'u1', name: 'One' },
  };
}

function padded(bytes, make) {
  const padding = bytes - JSON.stringify(make('')).length;
  if (padding < 0) throw new RangeError(`A message needs at least ${-padding} bytes more.`);
  return make('x'.repeat(padding));
}

function placeOf(template, digits) {
  return template.indexOf(digits);
}
