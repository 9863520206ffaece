/**
 * Puts `room`, `epoch` and `offset` in front of an encoded frame without reading it. So an edge names the room once per
 * encoding and forwards the rest unchanged.
 */
import type { Encoding } from './codec.js';
import type { Position } from './envelope.js';
import { toUtf8 } from './utf8.js';

const OPEN_BRACE = 0x7b;
const QUOTE = 0x22;
const JSON_SPACE = [0x20, 0x09, 0x0a, 0x0d];
const FIXMAP = 0x80;
const FIXMAP_MAX_ENTRIES = 15;
/** MessagePack texts `epoch` and `offset`. */
const EPOCH_KEY = Uint8Array.of(0xa5, 0x65, 0x70, 0x6f, 0x63, 0x68);
const OFFSET_KEY = Uint8Array.of(0xa6, 0x6f, 0x66, 0x66, 0x73, 0x65, 0x74);

/** The bytes that name `room`, made once per room and encoding and used for each of its messages. */
export function roomPrefix(encoding: Encoding, room: string): Uint8Array {
  if (encoding === 'json') return toUtf8(`{"room":${JSON.stringify(room)},`);
  return concat([msgpackString('room'), msgpackString(room)]);
}

/**
 * Puts the room of `prefix` first in the frame of `body`, and its position after it. Returns `undefined` for a malformed
 * body. A body begins as a non-empty object (JSON) or a map of 1 to 12 entries (MessagePack; 14 without a position).
 */
export function spliceRoom(
  encoding: Encoding,
  prefix: Uint8Array,
  body: Uint8Array,
  position?: Position,
): Uint8Array | undefined {
  if (encoding === 'json') {
    return spliceJson(position === undefined ? prefix : concat([prefix, jsonPosition(position)]), body);
  }
  if (position === undefined) return spliceMsgpack(prefix, 1, body);
  return spliceMsgpack(concat([prefix, msgpackPosition(position)]), 3, body);
}

function jsonPosition({ epoch, offset }: Position): Uint8Array {
  return toUtf8(`"epoch":${JSON.stringify(epoch)},"offset":${offset},`);
}

function msgpackPosition({ epoch, offset }: Position): Uint8Array {
  return concat([EPOCH_KEY, msgpackString(epoch), OFFSET_KEY, msgpackUnsigned(offset)]);
}

/** The frame in `body` with an `id` in front, for an answer that goes to several who asked. `undefined` as in `spliceRoom`. */
export function spliceId(encoding: Encoding, id: string, body: Uint8Array): Uint8Array | undefined {
  if (encoding === 'json') return spliceJson(toUtf8(`{"id":${JSON.stringify(id)},`), body);
  return spliceMsgpack(concat([msgpackString('id'), msgpackString(id)]), 1, body);
}

function spliceJson(prefix: Uint8Array, body: Uint8Array): Uint8Array | undefined {
  if (!beginsWithField(body)) return undefined;
  const frame = new Uint8Array(prefix.length + body.length - 1);
  frame.set(prefix);
  frame.set(body.subarray(1), prefix.length);
  return frame;
}

/** `{`, perhaps white space, and the quote of a first key: without a field the comma of the prefix would stand alone. */
function beginsWithField(body: Uint8Array): boolean {
  if (body[0] !== OPEN_BRACE) return false;
  let at = 1;
  while (JSON_SPACE.includes(body[at] ?? 0)) at++;
  return body[at] === QUOTE;
}

function spliceMsgpack(prefix: Uint8Array, fields: number, body: Uint8Array): Uint8Array | undefined {
  const head = body[0] ?? 0;
  const entries = head - FIXMAP;
  if (entries < 1 || entries + fields > FIXMAP_MAX_ENTRIES) return undefined;
  const frame = new Uint8Array(prefix.length + body.length);
  frame[0] = head + fields;
  frame.set(prefix, 1);
  frame.set(body.subarray(1), prefix.length + 1);
  return frame;
}

/** MessagePack str: fixstr up to 31 bytes, str 8 above; the longest room names have 255 bytes, and epochs 128. */
function msgpackString(value: string): Uint8Array {
  const bytes = toUtf8(value);
  const head = bytes.length <= 31 ? [0xa0 | bytes.length] : [0xd9, bytes.length];
  return concat([Uint8Array.from(head), bytes]);
}

/** MessagePack unsigned integer of 4 or 8 bytes. */
function msgpackUnsigned(value: number): Uint8Array {
  const long = value > 0xffff_ffff;
  const bytes = new DataView(new ArrayBuffer(long ? 9 : 5));
  bytes.setUint8(0, long ? 0xcf : 0xce);
  if (long) bytes.setBigUint64(1, BigInt(value));
  else bytes.setUint32(1, value);
  return new Uint8Array(bytes.buffer);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
