/** Frames as JSON text, and the documented form of binary values in it (PROTOCOL.md section 2.3). */
import type { Codec } from './codec.js';
import { HubbubError } from './errors.js';
import { fromUtf8, toUtf8 } from './utf8.js';

/**
 * JSON may escape half a surrogate pair, which no UTF-8 can hold: MessagePack members of the room could not read it. Nearly no
 * text has such an escape at all; where one has, `JSON.stringify` writes whole characters as they are and escapes the halves.
 */
const HALF_ESCAPE = /\\u[dD][89a-fA-F]/;
/** As `JSON.stringify` writes it: an escape behind an even number of backslashes. */
const HALF_CHARACTER = /(^|[^\\])(\\\\)*\\ud[89a-f]/;

export const jsonCodec: Codec = {
  encoding: 'json',
  encode: frame => toUtf8(JSON.stringify(frame)),
  decode(bytes) {
    try {
      const text = fromUtf8(bytes);
      const value: unknown = JSON.parse(text);
      if (!HALF_ESCAPE.test(text) || isWellFormedJson(JSON.stringify(value))) return value;
    } catch (cause) {
      throw new HubbubError('INVALID_FORMAT', 'The frame is not JSON in UTF-8.', { cause });
    }
    throw new HubbubError('INVALID_FORMAT', 'The frame contains half of a surrogate pair, which is not a character.');
  },
};

/** Whether a text that `JSON.stringify` has written holds whole characters only: it escapes the halves. */
export function isWellFormedJson(json: string): boolean {
  return !json.includes('\\ud') || !HALF_CHARACTER.test(json);
}

/** Reads as much as possible of bytes that {@link jsonCodec} refuses; `undefined` if it can read nothing. */
export function readMalformedJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined; // Not JSON at all.
  }
}

/**
 * A decoded MessagePack value as JSON can carry it: binary becomes `{ "$base64": … }`. Dates and non-finite numbers need
 * no help, `JSON.stringify` writes RFC 3339 and `null`.
 */
export function toJsonValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (value instanceof Uint8Array) return binaryInJson(value);
  if (Array.isArray(value)) return value.map(toJsonValue);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJsonValue(item)]));
}

/** A value as JSON text, binary values as {@link toJsonValue} has them. */
export function toJsonText(value: object): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key, item: unknown) {
    // `item` is what a Buffer's own `toJSON` makes of it.
    const raw = this[key];
    return raw instanceof Uint8Array ? binaryInJson(raw) : item;
  });
}

/** `btoa` works on both sides of the wire, in browsers and in Node. */
function binaryInJson(bytes: Uint8Array): { readonly $base64: string } {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return { $base64: btoa(binary) };
}
