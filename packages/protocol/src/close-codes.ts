/** Close codes, in ranges that decide whether a client reconnects (PROTOCOL.md section 4). */

/** The client's action after a close: reconnect, reconnect with a new token, or stop. */
export type CloseAdvice = 'reconnect' | 'renew' | 'stop';

/** Those that the client SDK names: apart, so that browsers do not carry the whole catalogue. */
export const CLOSE_NORMAL = 1000;
export const CLOSE_INVALID_DATA = 1007;
export const CLOSE_MESSAGE_TOO_BIG = 1009;
export const CLOSE_UNAUTHORIZED = 4101;

export const CLOSE_CODES = {
  NORMAL: CLOSE_NORMAL,
  GOING_AWAY: 1001,
  ABNORMAL: 1006,
  INVALID_DATA: CLOSE_INVALID_DATA,
  MESSAGE_TOO_BIG: CLOSE_MESSAGE_TOO_BIG,
  INTERNAL_ERROR: 1011,
  SERVICE_RESTART: 1012,
  TRY_AGAIN_LATER: 1013,
  SLOW_READER: 4000,
  TOO_MANY_FRAMES: 4001,
  TOO_MANY_CONNECTIONS: 4002,
  TOKEN_EXPIRED: 4100,
  UNAUTHORIZED: CLOSE_UNAUTHORIZED,
  KICKED: 4200,
  PROTOCOL_ABUSE: 4201,
  SESSION_LIMIT: 4202,
  FORBIDDEN: 4203,
  BAD_REQUEST: 4204,
  REVOKED: 4205,
} as const;
export type CloseCode = (typeof CLOSE_CODES)[keyof typeof CLOSE_CODES];

const STOP_BELOW_4000: readonly number[] = [CLOSE_NORMAL, CLOSE_INVALID_DATA, CLOSE_MESSAGE_TOO_BIG];

/** The client's action after a close with `code`; an unknown code means: reconnect. */
export function closeAdvice(code: number): CloseAdvice {
  const hundreds = Math.floor(code / 100);
  if (hundreds === 41) return 'renew';
  return hundreds === 42 || STOP_BELOW_4000.includes(code) ? 'stop' : 'reconnect';
}
