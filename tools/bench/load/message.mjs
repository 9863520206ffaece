/**
 * The messages of services: chat messages with a number and a send time in digits of fixed width.
 * Receivers check and time them without parsing JSON. Members of all relays get the same fields in frames of the same length.
 */
import { encodeEnvelope } from '@hubbub/protocol';
import { encode } from '@msgpack/msgpack';
import { writeDigits } from './digits.mjs';

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

function placeOf(template, digits) {
  return template.indexOf(digits);
}
