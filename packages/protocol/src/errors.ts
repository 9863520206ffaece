/** The error catalogue (PROTOCOL.md section 3) and the one error class that carries its codes. */

interface ErrorEntry {
  /** Whether the same request may be sent again as it is, and may succeed then. */
  readonly retryable: boolean;
}

const no = { retryable: false } as const;
const yes = { retryable: true } as const;

export const ERROR_CATALOGUE = {
  INVALID_FORMAT: no,
  UNKNOWN_TYPE: no,
  INVALID_PAYLOAD: no,
  MISSING_ROOM: no,
  INVALID_ROOM: no,
  NOT_IN_ROOM: no,
  FORBIDDEN: no,
  ROOM_LIMIT: no,
  RATE_LIMITED: yes,
  TOO_LARGE: no,
  UNAVAILABLE: yes,
  // Retried only where the request is idempotent: the caller has to know that.
  OUTCOME_UNKNOWN: no,
  UNAUTHORIZED: no,
  ORIGIN_NOT_ALLOWED: no,
  UPGRADE_REQUIRED: no,
  NOT_FOUND: no,
  CONFLICT: no,
  UNSUPPORTED_SUBPROTOCOL: no,
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_CATALOGUE, value);
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
    return ERROR_CATALOGUE[this.code].retryable;
  }
}
