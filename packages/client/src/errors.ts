/** The errors of promises that will not be kept, and what a close means for the connection. */
import {
  CLOSE_INVALID_DATA,
  CLOSE_MESSAGE_TOO_BIG,
  closeAdvice,
  type ErrorCode,
  HubbubError,
  isErrorCode,
  isPlainObject,
  type Payload,
  type Refusal,
} from '@hubbub/protocol';

/** How a socket ended. */
export interface Closing {
  /** Close code; 1006 when the connection broke or was never made. */
  readonly code: number;
  readonly reason: string;
  /** Why an edge opened no session (PROTOCOL.md section 1), where the platform shows it. */
  readonly refusal?: Refusal;
}

/** An error that the edge sent, and not a failure that the SDK noticed. */
export class Refused extends HubbubError {}

/**
 * Reads an error of the edge.
 * @param unknown the code to use for one that a newer edge added
 */
export function readRefused({ code, message, retry_after_ms, details }: Payload = {}, unknown: ErrorCode): Refused {
  const retryAfterMs = typeof retry_after_ms === 'number' ? retry_after_ms : undefined;
  const text = String(message ?? '');
  const isKnown = isErrorCode(code);
  return new Refused(isKnown ? code : unknown, isKnown ? text : `${code}: ${text}`, {
    retryAfterMs,
    details: isPlainObject(details) ? details : undefined,
  });
}

/** The error for a request that may succeed later. */
export function unavailable(message: string, options?: ErrorOptions): HubbubError {
  return new HubbubError('UNAVAILABLE', message, options);
}

/** Errors of a callback count as passing problems; a HubbubError keeps its code. */
export function asHubbubError(cause: unknown, what: string): HubbubError {
  return cause instanceof HubbubError ? cause : unavailable(`${what}: ${String(cause)}`, { cause });
}

export function closedError(): HubbubError {
  return unavailable('The client is closed.');
}

/** Whether to stay away: a refusal's code decides where there is one, else the close code. Only a token callback can renew. */
export function isFinal({ code, refusal }: Closing, error: HubbubError, canRenew: boolean): boolean {
  if (error.code === 'UNAUTHORIZED') return !canRenew;
  return refusal ? !error.retryable : closeAdvice(code) === 'stop';
}

/** Why a connection ended, for the application. Browsers hide why a handshake failed, so the text names what to check. */
export function closingError(closing: Closing, duringHandshake: boolean): HubbubError {
  if (closing.refusal) return new HubbubError(closing.refusal.code, closing.refusal.message);
  const { code, reason } = closing;
  const advice = duringHandshake ? ' Check URL, origin and token.' : '';
  return new HubbubError(codeOf(closing), `The edge closed with ${code}${reason && `: ${reason}`}.${advice}`);
}

function codeOf(closing: Closing): ErrorCode {
  if (closing.code === CLOSE_MESSAGE_TOO_BIG) return 'TOO_LARGE';
  if (closing.code === CLOSE_INVALID_DATA) return 'INVALID_FORMAT';
  if (closeAdvice(closing.code) === 'renew') return 'UNAUTHORIZED';
  return closing.code >= 4200 ? 'FORBIDDEN' : 'UNAVAILABLE';
}
