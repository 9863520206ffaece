/** Codes of the protocol as words for people. The code is shown beside them, for those who look it up. */
import type { ConnectionState, ErrorCode, HubbubError } from '@hubbub/client';
import { CLOSE_CODES } from '@hubbub/protocol';
import type { ConnectionView } from './state/chat.js';

const ERROR_WORDS: Readonly<Record<ErrorCode, string>> = {
  INVALID_FORMAT: 'The edge could not read that.',
  UNKNOWN_TYPE: 'The edge does not know this kind of frame here.',
  INVALID_PAYLOAD: 'The edge does not take this content.',
  MISSING_ROOM: 'No room was named.',
  INVALID_ROOM: 'That is not a room name.',
  NOT_IN_ROOM: 'You are not in this room.',
  FORBIDDEN: 'Your token does not allow this.',
  ROOM_LIMIT: 'You are in as many rooms as one connection may be.',
  RATE_LIMITED: 'Too fast: wait a moment and try again.',
  TOO_LARGE: 'This is too long to send.',
  UNAVAILABLE: 'There was no answer.',
  OUTCOME_UNKNOWN: 'The edge does not know whether this was done.',
  UNAUTHORIZED: 'Your token is missing or no longer valid.',
  ORIGIN_NOT_ALLOWED: 'Pages from this address may not connect.',
  UPGRADE_REQUIRED: 'The address does not speak WebSocket.',
  NOT_FOUND: 'There is nothing at this address.',
  CONFLICT: 'This was done before, in another way.',
  UNSUPPORTED_SUBPROTOCOL: 'The edge does not speak the version of this page.',
};

const CLOSE_WORDS: Readonly<Record<number, string>> = {
  [CLOSE_CODES.ABNORMAL]: 'The connection broke.',
  [CLOSE_CODES.GOING_AWAY]: 'The edge went away.',
  [CLOSE_CODES.INTERNAL_ERROR]: 'The edge failed.',
  [CLOSE_CODES.SERVICE_RESTART]: 'The edge is leaving.',
  [CLOSE_CODES.TRY_AGAIN_LATER]: 'The edge cannot serve this session now.',
  [CLOSE_CODES.SLOW_READER]: 'This page did not read fast enough.',
  [CLOSE_CODES.TOO_MANY_FRAMES]: 'This page sent too much.',
  [CLOSE_CODES.TOO_MANY_CONNECTIONS]: 'There are too many connections now.',
  [CLOSE_CODES.TOKEN_EXPIRED]: 'Your token has expired.',
  [CLOSE_CODES.UNAUTHORIZED]: 'Your token is missing or not valid.',
  [CLOSE_CODES.KICKED]: 'A service disconnected you.',
  [CLOSE_CODES.PROTOCOL_ABUSE]: 'This page continued to send what is refused.',
  [CLOSE_CODES.SESSION_LIMIT]: 'You have as many sessions as one may have.',
  [CLOSE_CODES.FORBIDDEN]: 'You may not connect here.',
  [CLOSE_CODES.BAD_REQUEST]: 'The edge does not understand the request of this page.',
};

const STATE_WORDS: Readonly<Record<ConnectionState, string>> = {
  idle: 'Not connected',
  connecting: 'Connecting…',
  opening: 'Connecting…',
  restoring: 'Joining rooms…',
  open: 'Online',
  moving: 'Moving to another edge…',
  waiting: 'Waiting to reconnect',
  closed: 'Disconnected',
};

export const ROOM_NAME_RULE = 'Letters, digits and _ . : @ ~ = + -, at most 128; the first one a letter, a digit or _.';

export function stateWords(state: ConnectionState): string {
  return STATE_WORDS[state];
}

export function errorWords({ code }: HubbubError): string {
  return ERROR_WORDS[code];
}

/** Why there is no connection. Nothing where the user wanted none. */
export function lossWords({ error, closeCode, hadSession }: ConnectionView): string {
  // A browser hides from the page why a handshake was refused: both end as 1006.
  if (closeCode === CLOSE_CODES.ABNORMAL && hadSession !== true) {
    return 'The edge was not reached, or it did not take the token.';
  }
  const known = closeCode === undefined ? undefined : CLOSE_WORDS[closeCode];
  return known ?? (error === undefined ? '' : errorWords(error));
}

/** "Ada types…", "Ada and Ben type…", "Ada, Ben and 2 others type…". */
export function typingWords(names: readonly string[]): string {
  const [first, second, third] = names;
  if (first === undefined) return '';
  if (second === undefined) return `${first} types…`;
  if (third === undefined) return `${first} and ${second} type…`;
  const others = names.length - 2;
  return `${first}, ${second} and ${others} ${others === 1 ? 'other' : 'others'} type…`;
}

export function peopleWords(count: number): string {
  return count === 1 ? '1 person' : `${count} people`;
}
