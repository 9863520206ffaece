/** The code of a room: short enough to call out, without letters that look or sound like others. */
import { randomInt } from 'node:crypto';

/** No 0 O Q, 1 I L, 2 Z, 5 S, 8 B, U V; and no vowels, so that no code is a word. */
const LETTERS = 'CDFGHJKMNPRTWXY34679';
const LENGTH = 5;

export const ROOM_CODE = new RegExp(`^[${LETTERS}]{${LENGTH}}$`);

const NAMESPACE = 'quiz:';

export function newRoomCode(): string {
  return Array.from({ length: LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join('');
}

/** People type codes that they heard: in any case, with spaces or dashes. */
export function readRoomCode(text: string): string {
  return text.toUpperCase().replace(/[\s-]/g, '');
}

/** The room of Hubbub in which the quiz of this code is. */
export function hubRoom(code: string): string {
  return `${NAMESPACE}${code}`;
}

/** The code of a room of Hubbub; `undefined` when no quiz can be there. */
export function codeOf(room: string | undefined): string | undefined {
  const code = room?.startsWith(NAMESPACE) === true ? room.slice(NAMESPACE.length) : '';
  return ROOM_CODE.test(code) ? code : undefined;
}
