/** The limits of requests: how many, how large, how slow; and what the port answers where there is no request yet. */
import type { Socket } from 'node:net';
import { type ErrorCode, HubbubError } from '@hubbub/protocol';
import { type HttpServer, routeName } from '@hubbub/runtime/http';
import type { ApiMetrics, Limit } from './metrics.js';
import type { OpenConnections } from './open-connections.js';

/** Counts requests in flight. */
export class RequestSlots {
  #taken = 0;

  constructor(readonly max: number) {}

  get taken(): number {
    return this.#taken;
  }

  /** Counts a request; returns whether it is within the limit. */
  take(): boolean {
    this.#taken++;
    return this.#taken <= this.max;
  }

  release(): void {
    this.#taken--;
  }
}

/** Measures every request, and refuses those above the limit. */
export function limitRequests(server: HttpServer, slots: RequestSlots, metrics: ApiMetrics): void {
  server.addHook('onRequest', async (request, reply) => {
    const startedAtMs = performance.now();
    const isWithinLimit = slots.take();
    // `close` is always emitted, also if the connection is lost before the answer.
    reply.raw.once('close', () => {
      slots.release();
      const status = reply.raw.writableFinished ? reply.statusCode : 'aborted';
      metrics.answered(routeName(request), status, performance.now() - startedAtMs);
    });
    if (isWithinLimit) return;
    metrics.limited('requests');
    throw new HubbubError(
      'RATE_LIMITED',
      `More than HUBBUB_API_MAX_REQUESTS (${slots.max}) requests are in flight; retry later.`,
    );
  });
  server.addHook('onError', async (_request, _reply, error) => {
    if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') metrics.limited('body_bytes');
  });
}

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
    message: 'The headers are larger than HUBBUB_MAX_HEADER_BYTES.',
    limit: 'header_bytes',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: '408 Request Timeout',
    code: 'UNAVAILABLE',
    message: 'The request did not arrive completely within HUBBUB_API_REQUEST_TIMEOUT_MS; nothing was done.',
    limit: 'request_time',
  },
};
const NOT_HTTP: Answer = { status: '400 Bad Request', code: 'INVALID_FORMAT', message: 'Malformed HTTP request.' };

/** Answers headers that are too large, requests that are too slow, and data that is not HTTP; then ends the connection. */
export function answerConnectionError(
  error: { readonly code?: string },
  socket: Socket,
  connections: OpenConnections,
  metrics: ApiMetrics,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, code, message, limit } = BY_CODE[error.code ?? ''] ?? NOT_HTTP;
  if (limit === undefined) metrics.malformedRequest();
  else metrics.limited(limit);
  if (!connections.canAnswer(socket)) {
    socket.destroy();
    return;
  }
  const body = `${JSON.stringify({ code, message })}\n`;
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
