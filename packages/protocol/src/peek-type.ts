/** Finds the type of an encoded frame without decoding the frame. */
import type { Encoding } from './codec.js';
import { FRAME_TYPE_MAX_BYTES } from './frame.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const JSON_HEAD = ascii('{"type":');
const SPACE = 0x20;
const MSGPACK_KEY = ascii('\xa4type');
const FIXMAP = 0x80;
const FIXMAP_MAX = 0x8f;
const FIXSTR = 0xa0;
const FIXSTR_MAX = 0xbf;
const STR_8 = 0xd9;

/**
 * The type of a frame whose first field is `type`, as all encoders of Hubbub write it. `undefined` where another field is
 * first, or the type is not plain text: such a frame must be decoded.
 */
export function peekType(encoding: Encoding, body: Uint8Array): string | undefined {
  return encoding === 'json' ? peekJson(body) : peekMsgpack(body);
}

function peekJson(body: Uint8Array): string | undefined {
  if (!hasAt(body, 0, JSON_HEAD)) return undefined;
  let type = '';
  let start = JSON_HEAD.length;
  if (body[start] === SPACE) start++; // As Python's encoder writes it.
  if (body[start] !== QUOTE) return undefined;
  for (let at = start + 1; type.length <= FRAME_TYPE_MAX_BYTES; at++) {
    const byte = body[at];
    if (byte === QUOTE) return type;
    if (byte === undefined || byte === BACKSLASH) return undefined;
    type += String.fromCharCode(byte);
  }
  return undefined;
}

function peekMsgpack(body: Uint8Array): string | undefined {
  const [map = 0] = body;
  if (map <= FIXMAP || map > FIXMAP_MAX || !hasAt(body, 1, MSGPACK_KEY)) return undefined;
  const at = 1 + MSGPACK_KEY.length;
  const head = body[at] ?? 0;
  const isShort = head >= FIXSTR && head <= FIXSTR_MAX;
  if (!isShort && head !== STR_8) return undefined;
  const start = isShort ? at + 1 : at + 2;
  const length = isShort ? head - FIXSTR : (body[at + 1] ?? 0);
  if (length > FRAME_TYPE_MAX_BYTES || start + length > body.length) return undefined;
  return String.fromCharCode(...body.subarray(start, start + length));
}

function hasAt(body: Uint8Array, at: number, expected: Uint8Array): boolean {
  for (let index = 0; index < expected.length; index++) if (body[at + index] !== expected[index]) return false;
  return true;
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, character => character.charCodeAt(0));
}
