/** Why a promise that was made to the application will not be kept. */
import { type ErrorCode, HubbubError, isErrorCode, type Payload } from '@hubbub/protocol';

/** The edge answered so: not a failure that the SDK itself noticed. */
export class Refused extends HubbubError {}

/**
 * Reads an error of the edge's.
 * @param unknown the code to use for one that a newer edge added
 */
export function readRefused({ code, message, retry_after_ms }: Payload = {}, unknown: ErrorCode): Refused {
  const retryAfterMs = typeof retry_after_ms === 'number' ? retry_after_ms : undefined;
  const text = String(message ?? '');
  const isKnown = isErrorCode(code);
  return new Refused(isKnown ? code : unknown, isKnown ? text : `${code}: ${text}`, { retryAfterMs });
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
