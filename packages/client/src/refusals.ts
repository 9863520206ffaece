/** Why a promise that was made to the application will not be kept. */
import { type ErrorCode, HubbubError, isErrorCode, type Payload } from '@hubbub/protocol';

/** The edge answered so: not a failure that the SDK itself noticed. */
export class Refused extends HubbubError {}

/**
 * Reads an error of the edge's.
 * @param unknown what a code counts as that a newer edge added
 */
export function readRefused({ code, message, retry_after_ms }: Payload = {}, unknown: ErrorCode): Refused {
  const retryAfterMs = typeof retry_after_ms === 'number' ? retry_after_ms : undefined;
  const text = String(message ?? '');
  return isErrorCode(code)
    ? new Refused(code, text, { retryAfterMs })
    : new Refused(unknown, `${code}: ${text}`, { retryAfterMs });
}

/** What this client cannot do now, and may be able to do later. */
export function unavailable(message: string, options?: ErrorOptions): HubbubError {
  return new HubbubError('UNAVAILABLE', message, options);
}

export function closedError(): HubbubError {
  return unavailable('The client is closed.');
}
