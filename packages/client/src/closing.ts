/** Reads a close frame: whether to reconnect, how soon, and the error for the application. */
import { CLOSE_INVALID_DATA, CLOSE_MESSAGE_TOO_BIG, closeAdvice, type ErrorCode, HubbubError } from '@hubbub/protocol';
import type { Closing } from './transport.js';

/** Whether to stay away: a refusal's code decides where there is one, else the close code. Only a token callback can renew. */
export function isFinal({ code, refusal }: Closing, error: HubbubError, canRenew: boolean): boolean {
  if (error.code === 'UNAUTHORIZED') return !canRenew;
  return refusal ? !error.retryable : closeAdvice(code) === 'stop';
}

/** Why the client stays away, for promises that will not be kept any more. */
export function errorOf(closing: Closing): HubbubError {
  if (closing.refusal) return new HubbubError(closing.refusal.code, closing.refusal.message);
  const reason = closing.reason && `: ${closing.reason}`;
  return new HubbubError(codeOf(closing), `The edge closed with ${closing.code}${reason}.`);
}

function codeOf(closing: Closing): ErrorCode {
  if (closing.code === CLOSE_MESSAGE_TOO_BIG) return 'TOO_LARGE';
  if (closing.code === CLOSE_INVALID_DATA) return 'INVALID_FORMAT';
  if (closeAdvice(closing.code) === 'renew') return 'UNAUTHORIZED';
  return closing.code >= 4200 ? 'FORBIDDEN' : 'UNAVAILABLE';
}
