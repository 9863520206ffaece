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

/** Close code of a connection that broke or was never made. */
export const ABNORMAL = 1006;

/** How a socket ended. */
export interface Closing {
  /** Close code; {@link ABNORMAL} when the connection broke or was never made. */
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

/** The refusal in the JSON of an answer; `undefined` where not an edge answered but, for example, a proxy. */
export function refusalOf(body: unknown, retryAfter: unknown): Refusal | undefined {
  const { code, message, details } = isPlainObject(body) ? body : {};
  if (!isErrorCode(code)) return undefined;
  const retryAfterMs = Number(retryAfter) * 1000;
  return {
    code,
    message: String(message),
    ...(retryAfterMs > 0 && { retryAfterMs }),
    ...(isPlainObject(details) && { details }),
  };
}

/** The error of a request that was refused, or got no answer. */
export function refusalError({ reason, refusal }: Closing): HubbubError {
  return refusal ? new HubbubError(refusal.code, refusal.message, refusal) : unavailable(reason);
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
  if (closing.refusal) return refusalError(closing);
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
