/** What the public port answers to plain HTTP: pages, and refusals with their status (PROTOCOL.md section 1). */
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  CLOSE_CODES,
  type CloseCode,
  type ErrorCode,
  HubbubError,
  type Refusal,
  writeRefusalReason,
} from '@hubbub/protocol';
import { REFUSAL_CLOSE_CODE, REFUSAL_STATUS } from './admission/admission.js';
import type { HttpRequest, HttpResponse } from './engine.js';
import { LimitExceeded } from './limits/limit-exceeded.js';

/** When to try again after a 429 or 503, where nothing else is known. */
const RETRY_AFTER_MS = 1000;

/** A plain page on the public port. */
export interface Page {
  readonly status?: string;
  readonly contentType: string;
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a page may know of its request. */
export interface PageRequest {
  readonly query: URLSearchParams;
  /** The `Host` header: the name under which the browser believes to speak to us. */
  readonly host: string;
}

/** Answers `GET path`; may throw {@link HubbubError}. */
export type PageHandler = (request: PageRequest) => Page | Promise<Page>;

/**
 * Answers in the next turn. Until then a second request that came in one segment with the first ends the connection: so
 * each connection has one, which is what the gate counts on; one that could ask for ever would never become a session.
 */
export function answerNextTurn(response: HttpResponse, answer: () => void): void {
  let ended = false;
  response.onAborted(() => {
    ended = true;
  });
  setImmediate(() => {
    if (!ended) response.cork(answer);
  });
}

/** @param done called once, when the request was answered or its connection ended */
export function servePage(page: PageHandler, response: HttpResponse, request: HttpRequest, done: () => void): void {
  let over = false;
  const finish = (answer?: () => void): void => {
    if (over) return;
    over = true;
    if (answer !== undefined) response.cork(answer);
    done();
  };
  response.onAborted(() => finish());
  const asked = { query: new URLSearchParams(request.getQuery()), host: request.getHeader('host') };
  nextTurn()
    .then(() => page(asked))
    .then(
      ({ status = '200 OK', contentType, body, headers = {} }) =>
        finish(() => {
          response.writeStatus(status).writeHeader('content-type', contentType);
          for (const [name, value] of Object.entries(headers)) response.writeHeader(name, value);
          response.end(body, true);
        }),
      (error: unknown) => finish(() => refuseFor(response, error)),
    );
}

/** Answers with what the error says, where it is one of ours. */
export function refuseFor(response: HttpResponse, error: unknown): void {
  const { code, message, retryAfterMs } = refusalOf(error);
  refuse(response, code, message, retryAfterMs);
}

/** A refusal as a close frame has it. */
export interface RefusalClose {
  readonly code: CloseCode;
  readonly reason: string;
}

export function refusalCloseFor(error: unknown): RefusalClose {
  const refusal = refusalOf(error);
  return { code: REFUSAL_CLOSE_CODE[refusal.code] ?? CLOSE_CODES.BAD_REQUEST, reason: writeRefusalReason(refusal) };
}

function refusalOf(error: unknown): Refusal {
  const { code, message } =
    error instanceof HubbubError ? error : new HubbubError('UNAVAILABLE', 'This cannot be answered now.');
  if (code !== 'UNAVAILABLE' && code !== 'RATE_LIMITED') return { code, message };
  const known = error instanceof LimitExceeded ? error.retryAfterMs : undefined;
  return { code, message, retryAfterMs: known ?? RETRY_AFTER_MS };
}

/** Answers with the status that belongs to the code, and its JSON body. */
export function refuse(response: HttpResponse, code: ErrorCode, message: string, retryAfterMs?: number): void {
  const statuses: Partial<Record<ErrorCode, string>> = REFUSAL_STATUS;
  response.writeStatus(statuses[code] ?? '400 Bad Request').writeHeader('content-type', 'application/json');
  if (retryAfterMs !== undefined) response.writeHeader('retry-after', String(Math.ceil(retryAfterMs / 1000)));
  if (code === 'UNAUTHORIZED') response.writeHeader('www-authenticate', 'Bearer'); // RFC 6750 section 3.
  response.end(JSON.stringify({ code, message }), true);
}
