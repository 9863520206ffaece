/** How users are called: their ids and names, and the patterns of rooms that tokens open to them. */
import { USER_ID_MAX_BYTES, USER_NAME_MAX_BYTES, utf8Length } from './limits.js';
import { isRoomName } from './room-name.js';
import { isWellFormed, toWellFormed } from './text.js';

const CONTROL = /\p{Control}/u;
/** RFC 3986 section 5.2.4: a URL loses these segments, escaped or not, and then names something else. */
const DOT_SEGMENTS: ReadonlySet<unknown> = new Set(['.', '..']);
const WILDCARD = '*';

/**
 * Returns what is wrong with a user's id, as the end of a sentence about it, or `undefined` where nothing is. An id survives a
 * URL's path, a channel's name, and a pattern of rooms.
 */
export function userIdProblem(value: unknown): string | undefined {
  if (typeof value !== 'string') return 'is not text';
  if (value === '' || utf8Length(value) > USER_ID_MAX_BYTES) return `is not 1 to ${USER_ID_MAX_BYTES} bytes`;
  if (!isWellFormed(value)) return 'has half a surrogate pair';
  if (CONTROL.test(value)) return 'has control characters';
  if (DOT_SEGMENTS.has(value)) return 'is a dot segment, which a URL cannot carry';
  // In a minted pattern such as `private:${id}` it would open the rooms of others.
  if (value.includes(WILDCARD)) return 'has a *, which is the wildcard of room patterns';
  return undefined;
}

export function isUserId(value: unknown): value is string {
  return userIdProblem(value) === undefined;
}

/** Begins the user ids of sessions without a token. No token may name such a user. */
export const ANONYMOUS_PREFIX = 'anonymous:';

export function isAnonymousId(userId: string): boolean {
  return userId.startsWith(ANONYMOUS_PREFIX);
}

/**
 * A user's name as others see it. Only people read it, so half a character is repaired.
 * @returns the name, or what is wrong with it, as the end of a sentence about it
 */
export function readUserName(value: unknown): { readonly name: string } | { readonly problem: string } {
  if (typeof value !== 'string') return { problem: 'is not text' };
  const name = toWellFormed(value);
  if (name === '' || utf8Length(name) > USER_NAME_MAX_BYTES)
    return { problem: `is not 1 to ${USER_NAME_MAX_BYTES} bytes` };
  // They would reach logs and terminals.
  return CONTROL.test(name) ? { problem: 'has control characters' } : { name };
}

/** Whether `value` is a pattern of the claim `rooms` that can match a room: a room name, or the beginning of one and a `*`. */
export function isRoomPattern(value: unknown): value is string {
  if (typeof value !== 'string') return false;
  if (value === WILDCARD) return true;
  return isRoomName(value.endsWith(WILDCARD) ? value.slice(0, -1) : value);
}
