/**
 * What is published: a chat message whose number and time of sending stand at fixed places of the frame that members
 * get, so that a receiver checks and times it without parsing JSON. All relays deliver the very same bytes.
 */
import { encodeEnvelope } from '@hubbub/protocol';
import { writeDigits } from './digits.mjs';

export const NUMBER_DIGITS = 8;
export const TIME_DIGITS = 10;

/**
 * How a relay wants its messages published: `frame`, the bytes that members get; `envelope`, Hubbub's own form
 * (PROTOCOL.md section 7); `service-json`, what a service in any language publishes.
 * @typedef {'frame' | 'envelope' | 'service-json'} Form
 */

/** Where a receiver finds what, in the payload of a WebSocket frame. */
export function layoutOf({ room, frameBytes }) {
  const frame = frameOf({ room, frameBytes });
  return { frameBytes, numberAt: placeOf(frame, '"number":"'), timeAt: placeOf(frame, '"at":"') };
}

/**
 * @param {{ room: string, frameBytes: number, form: Form }} options
 * @returns {(number: number, sentUs: number) => Buffer} makes the bytes to publish
 */
export function createMessageMaker({ room, frameBytes, form }) {
  const frame = frameOf({ room, frameBytes });
  const template = Buffer.from(form === 'frame' ? frame : frame.replace(roomField(room), ''));
  const numberAt = placeOf(template, '"number":"');
  const timeAt = placeOf(template, '"at":"');
  return (number, sentUs) => {
    const bytes = Buffer.from(template);
    writeDigits(bytes, numberAt, NUMBER_DIGITS, number);
    writeDigits(bytes, timeAt, TIME_DIGITS, sentUs);
    if (form !== 'envelope') return bytes;
    const envelope = encodeEnvelope({ encoding: 'json', publishedAtMs: Date.now() }, bytes);
    return Buffer.from(envelope.buffer, envelope.byteOffset, envelope.byteLength);
  };
}

/** No `id`: it may serve as idempotency key, and every message here has to arrive. */
function frameOf({ room, frameBytes }) {
  const make = text =>
    `{${roomField(room)}${JSON.stringify({
      // First, as the edge writes it into what services publish as plain JSON.
      timestamp: '2026-01-01T00:00:00.000Z',
      type: 'new_message',
      payload: { number: '0'.repeat(NUMBER_DIGITS), at: '0'.repeat(TIME_DIGITS), text },
      sender: { id: 'u1', name: 'One' },
    }).slice(1)}`;
  const padding = frameBytes - make('').length;
  if (padding < 0) throw new RangeError(`A message needs at least ${frameBytes - padding} bytes.`);
  return make('x'.repeat(padding));
}

/** An edge names the room first; so the bare relay's frames are the same, byte for byte. */
function roomField(room) {
  return `"room":${JSON.stringify(room)},`;
}

function placeOf(text, label) {
  return text.indexOf(label) + label.length;
}
