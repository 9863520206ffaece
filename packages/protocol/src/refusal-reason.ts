/** A refusal as the reason of a close, for clients that cannot see HTTP answers: `?errors=close` (PROTOCOL.md section 1). */
import { type ErrorCode, type ErrorDetails, isErrorCode } from './errors.js';

/** Why an edge does not open a session. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  /** Milliseconds to wait before the next attempt, if the edge names it. */
  readonly retryAfterMs?: number;
  /** In HTTP answers; a close reason has no place for them. */
  readonly details?: ErrorDetails;
}

/** RFC 6455 section 5.5: a control frame has 125 bytes, two of which are the close code. */
const REASON_MAX_BYTES = 123;

/** JSON of at most 123 bytes: `code`, `retry_after_ms`, and as much of the message as fits. */
export function writeRefusalReason({ code, message, retryAfterMs }: Refusal): string {
  const json = (text: string): string => JSON.stringify({ code, retry_after_ms: retryAfterMs, message: text });
  // Other than ASCII has no place in it: a character counts for one byte then, and is never cut in two.
  let text = message.replace(/[^\x20-\x7e]/g, '?');
  for (
    let tooMany = json(text).length - REASON_MAX_BYTES;
    tooMany > 0;
    tooMany = json(text).length - REASON_MAX_BYTES
  ) {
    text = text.slice(0, -tooMany);
  }
  return json(text);
}

/** The refusal in a close reason; `undefined` where the reason is another text. */
export function readRefusalReason(reason: string): Refusal | undefined {
  try {
    const { code, message = '', retry_after_ms } = JSON.parse(reason);
    const retryAfterMs = Number(retry_after_ms);
    return isErrorCode(code)
      ? { code, message: String(message), ...(retryAfterMs > 0 && { retryAfterMs }) }
      : undefined;
  } catch {
    return undefined;
  }
}
