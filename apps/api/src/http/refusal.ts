/** Turns an error into an HTTP answer: status, code, message, and when to retry. */
import { type ErrorCode, HubbubError } from '@hubbub/protocol';
import type { Limit } from '../metrics.js';

export interface Refusal {
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
  /** The limit that was reached. */
  readonly limit?: Limit;
  /** A defect of ours. */
  readonly isDefect?: boolean;
}

/** Every other code means a mistake in the request: 400. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  TOO_LARGE: 413,
  RATE_LIMITED: 429,
  UNAVAILABLE: 503,
  OUTCOME_UNKNOWN: 503,
};

/** Errors that fastify throws, by its own codes. */
const OF_FASTIFY: Readonly<Record<string, Refusal>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    status: 415,
    code: 'INVALID_FORMAT',
    message: 'Bodies are JSON: send the header Content-Type: application/json.',
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    status: 400,
    code: 'INVALID_FORMAT',
    message: 'The length of the body differs from its Content-Length header.',
  },
  FST_ERR_BAD_URL: { status: 400, code: 'INVALID_FORMAT', message: 'Malformed percent-encoding in the URL path.' },
};

export function refusalOf(error: unknown, maxBodyBytes: number): Refusal {
  if (error instanceof HubbubError) {
    return { status: STATUS[error.code] ?? 400, code: error.code, message: error.message };
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const message = `The body has more than HUBBUB_API_MAX_BODY_BYTES (${maxBodyBytes}).`;
    return { status: 413, code: 'TOO_LARGE', message, limit: 'body_bytes' };
  }
  // Any other error is a defect of the API: the client gets no details, the process lives.
  return (
    OF_FASTIFY[code] ?? {
      status: 500,
      code: 'OUTCOME_UNKNOWN',
      message: 'Internal error of the API; its log has the details.',
      isDefect: true,
    }
  );
}

/** Seconds after which a retry makes sense; Redis is found again within about a second. */
export function retryAfterSeconds({ status }: Refusal): number | undefined {
  return status === 503 || status === 429 ? 1 : undefined;
}
