/** Close codes of the Pusher protocol. Its clients return a second after 4100, and never after 4000 to 4099. */
import { CLOSE_CODES, closeAdvice } from '../close-codes.js';
import type { ErrorCode } from '../errors.js';

const OVER_CAPACITY = 4100;
const UNAUTHORIZED = 4009;

const REFUSED_CONNECTIONS: Partial<Record<ErrorCode, number>> = {
  NOT_FOUND: 4001,
  UNSUPPORTED_SUBPROTOCOL: 4007,
  INVALID_PAYLOAD: 4008,
  RATE_LIMITED: OVER_CAPACITY,
  UNAVAILABLE: OVER_CAPACITY,
};

/** In place of Hubbub's own code. Never 4200 to 4299: clients return then without a delay, all together. */
export function pusherCloseCode(code: number): number {
  if (code < CLOSE_CODES.SLOW_READER) return code;
  return closeAdvice(code) === 'reconnect' ? OVER_CAPACITY : UNAUTHORIZED;
}

/** Of a connection that is refused with this error. */
export function pusherRefusalCode(code: ErrorCode): number {
  return REFUSED_CONNECTIONS[code] ?? UNAUTHORIZED;
}
