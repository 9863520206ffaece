/** The rules for texts from outside: whole characters, and a bounded length. */
import { CONFLATION_KEY_MAX_BYTES, utf8Length } from './limits.js';

/** Half a surrogate pair: with the flag `u` whole pairs are one character of another kind. */
const HALF = /\p{Surrogate}/u;
const HALVES = /\p{Surrogate}/gu;
const REPLACEMENT = '\ufffd';

/**
 * Whether a text has whole characters only. Half of a surrogate pair (a name cut in the middle of an emoji) has no UTF-8
 * form: Redis and MessagePack would carry another text.
 */
export function isWellFormed(text: string): boolean {
  return !HALF.test(text);
}

/** Repairs a text that only people read. An identifier is refused instead: a repaired one would be another's. */
export function toWellFormed(text: string): string {
  return isWellFormed(text) ? text : text.replace(HALVES, REPLACEMENT);
}

/** The beginning of a text, which ends with a whole character. */
export function beginningOf(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const last = text.charCodeAt(maxLength - 1);
  const isCut = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, isCut ? maxLength - 1 : maxLength);
}

/** Removes these characters from the end. In linear time: a pattern such as `/x+$/` begins again at every `x` of the text. */
export function trimEndOf(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

/** Whether `value` is well-formed text of 1 to so many bytes. */
export function isText(value: unknown, maxBytes: number): value is string {
  return typeof value === 'string' && value !== '' && utf8Length(value) <= maxBytes && isWellFormed(value);
}

export function isConflationKey(value: unknown): value is string {
  return isText(value, CONFLATION_KEY_MAX_BYTES);
}
