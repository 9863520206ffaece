/** Answers what came before there was a request: headers that are too large, too slow, or no HTTP. */
import type { Socket } from 'node:net';
import type { ErrorCode } from '@hubbub/protocol';
import type { ApiMetrics, Limit } from '../metrics.js';

interface Answer {
  readonly status: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly limit?: Limit;
}

const BY_CODE: Readonly<Record<string, Answer>> = {
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    code: 'TOO_LARGE',
    message: 'The headers have more than HUBBUB_MAX_HEADER_BYTES.',
    limit: 'header_bytes',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: '408 Request Timeout',
    code: 'UNAVAILABLE',
    message: 'The request did not come in whole within HUBBUB_API_REQUEST_TIMEOUT_MS; nothing was done.',
    limit: 'request_time',
  },
};
const NO_HTTP: Answer = { status: '400 Bad Request', code: 'INVALID_FORMAT', message: 'Malformed HTTP request.' };

/** @param canAnswer else the connection is ended without a word */
export function answerConnectionError(
  error: { readonly code?: string },
  socket: Socket,
  metrics: ApiMetrics,
  canAnswer: boolean,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, code, message, limit } = BY_CODE[error.code ?? ''] ?? NO_HTTP;
  if (limit === undefined) metrics.malformedRequest();
  else metrics.limited(limit);
  if (!canAnswer) {
    socket.destroy();
    return;
  }
  const body = `${JSON.stringify({ code, message })}\n`;
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
