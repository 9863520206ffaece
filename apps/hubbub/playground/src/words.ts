/** Codes of the protocol as words for people. The code is shown beside them, for those who look it up. */
import type { ConnectionState } from '@hubbub/client';
import { CLOSE_CODES } from '@hubbub/protocol';
import type { ConnectionView } from './state/chat.js';

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
  [CLOSE_CODES.PROTOCOL_ABUSE]: 'This page sent too many refused frames.',
  [CLOSE_CODES.SESSION_LIMIT]: 'You have reached the limit of sessions.',
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

/** Why there is no connection. Nothing where the user wanted none. */
export function lossWords({ error, closeCode, hadSession }: ConnectionView): string {
  // A browser hides from the page why a handshake was refused: both end as 1006.
  if (closeCode === CLOSE_CODES.ABNORMAL && hadSession !== true) {
    return 'The edge cannot be reached, or it refused the token.';
  }
  const known = closeCode === undefined ? undefined : CLOSE_WORDS[closeCode];
  return known ?? error?.message ?? '';
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
