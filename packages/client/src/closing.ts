/** Reads a closing: whether to come back, how soon, and as which error the application sees it. */
import {
  CLOSE_INVALID_DATA,
  CLOSE_MESSAGE_TOO_BIG,
  type CloseAdvice,
  closeAdvice,
  type ErrorCode,
  HubbubError,
} from '@hubbub/protocol';
import type { Closing } from './transport.js';

/** The close code's advice; a refusal's code decides where there is one. Only a token callback can renew. */
export function adviceFor(closing: Closing, canRenew: boolean): CloseAdvice {
  const advice = closing.refusal === undefined ? closeAdvice(closing.code) : refusalAdvice(closing.refusal.code);
  return advice === 'renew' && !canRenew ? 'stop' : advice;
}

function refusalAdvice(code: ErrorCode): CloseAdvice {
  if (code === 'UNAUTHORIZED') return 'renew';
  return new HubbubError(code, '').retryable ? 'reconnect' : 'stop';
}

/** Why the client stays away, for promises that will not be kept any more. */
export function errorOf(closing: Closing): HubbubError {
  if (closing.refusal !== undefined) return new HubbubError(closing.refusal.code, closing.refusal.message);
  const reason = closing.reason === '' ? '' : `: ${closing.reason}`;
  return new HubbubError(codeOf(closing), `The edge closed the connection with ${closing.code}${reason}.`);
}

function codeOf(closing: Closing): ErrorCode {
  if (closing.code === CLOSE_MESSAGE_TOO_BIG) return 'TOO_LARGE';
  if (closing.code === CLOSE_INVALID_DATA) return 'INVALID_FORMAT';
  if (closeAdvice(closing.code) === 'renew') return 'UNAUTHORIZED';
  return closing.code >= 4000 ? 'FORBIDDEN' : 'UNAVAILABLE';
}
