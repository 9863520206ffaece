/** The error catalogue (PROTOCOL.md section 3) and the one error class that carries its codes. */

export const ERROR_CODES = [
  'INVALID_FORMAT',
  'UNKNOWN_TYPE',
  'INVALID_PAYLOAD',
  'MISSING_ROOM',
  'INVALID_ROOM',
  'NOT_IN_ROOM',
  'FORBIDDEN',
  'ROOM_LIMIT',
  'RATE_LIMITED',
  'TOO_LARGE',
  'UNAVAILABLE',
  'OUTCOME_UNKNOWN',
  'UNAUTHORIZED',
  'ORIGIN_NOT_ALLOWED',
  'UPGRADE_REQUIRED',
  'NOT_FOUND',
  'CONFLICT',
  'UNSUPPORTED_SUBPROTOCOL',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** `OUTCOME_UNKNOWN` is not one of them: only an idempotent request may be repeated then. */
const RETRYABLE: readonly ErrorCode[] = ['RATE_LIMITED', 'UNAVAILABLE'];

export function isErrorCode(value: unknown): value is ErrorCode {
  return (ERROR_CODES as readonly unknown[]).includes(value);
}

/** Such as `{ room, right, granted, opens }` of `FORBIDDEN` (PROTOCOL.md section 3). */
export type ErrorDetails = Readonly<Record<string, unknown>>;

export interface HubbubErrorOptions extends ErrorOptions {
  readonly retryAfterMs?: number | undefined;
  readonly details?: ErrorDetails | undefined;
}

/**
 * An error with a code of the catalogue. Branch on `code` or `retryable`, never on the message.
 *
 * @example
 * try { await room.send({ content: 'hi' }); }
 * catch (error) { if (error instanceof HubbubError && error.retryable) retryLater(); else throw error; }
 */
export class HubbubError extends Error {
  override readonly name = 'HubbubError';
  readonly code: ErrorCode;
  /** Milliseconds after which to try again, where that is known. */
  readonly retryAfterMs: number | undefined;
  /** The facts of the message, where a program can use them. */
  readonly details: ErrorDetails | undefined;

  constructor(code: ErrorCode, message: string, options?: HubbubErrorOptions) {
    super(message, options);
    this.code = code;
    this.retryAfterMs = options?.retryAfterMs;
    this.details = options?.details;
  }

  get retryable(): boolean {
    return RETRYABLE.includes(this.code);
  }
}
