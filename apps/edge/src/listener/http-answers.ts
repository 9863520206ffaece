/** Answers of the public port to plain HTTP: pages, and refusals with their status (PROTOCOL.md section 1). */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CLOSE_CODES, type ErrorCode, HubbubError, type Refusal, writeRefusalReason } from '@hubbub/protocol';
import { pusherRefusalCode } from '@hubbub/protocol/pusher';
import { LEAVING_STATUS, REFUSAL_CLOSE_CODE, REFUSAL_STATUS } from '../admission/admission.js';
import type { HttpRequest, HttpResponse, TemplatedApp } from './engine.js';

/** When to try again after a 429, 502 or 503, where nothing else is known. */
const RETRY_AFTER_MS = 1000;

/** A plain page on the public port. */
export interface Page {
  readonly status?: string;
  readonly contentType: string;
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The fields of a request that a page gets. */
export interface PageRequest {
  readonly query: URLSearchParams;
  /** The `Host` header: the name under which the browser believes to speak to us. */
  readonly host: string;
}

/** Answers `GET path`; may throw {@link HubbubError}. */
export type PageHandler = (request: PageRequest) => Page | Promise<Page>;

/**
 * Answers in the next turn. Until then a second request that came in one segment with the first ends the connection. So each
 * connection has one, which the gate counts on: a connection that could ask forever would never become a session.
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

export type Headers = Readonly<Record<string, string>>;

export interface MethodOptions {
  readonly headersFor: (origin: string, host: string) => Headers;
  /** Whether the connection still exists; asked once for each request. */
  readonly isHeard: (response: HttpResponse, request: HttpRequest) => boolean;
  /** Those of the path, OPTIONS among them. */
  readonly methods?: string;
}

const PAGE_METHODS = 'GET, HEAD, OPTIONS';

/** The headers that let a script of this origin read an answer (https://fetch.spec.whatwg.org, section 3.3). */
export function allowOrigin(origin: string): Headers {
  if (origin === '') return VARIES_BY_ORIGIN;
  return {
    ...VARIES_BY_ORIGIN,
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'Retry-After',
  };
}

/** Caches must not give the answer of one origin to another one. */
export const VARIES_BY_ORIGIN: Headers = { vary: 'Origin' };

/**
 * Answers the methods of a path that have no handler: OPTIONS, also the preflight of browsers, with 200; every
 * other one with 405.
 */
export function answerMethods(
  app: TemplatedApp,
  path: string,
  { headersFor, isHeard, methods = PAGE_METHODS }: MethodOptions,
): void {
  app.options(path, (response, request) => {
    const headers = headersFor(request.getHeader('origin'), request.getHeader('host'));
    if (!isHeard(response, request)) return;
    answerNextTurn(response, () => {
      response.writeStatus('200 OK').writeHeader('allow', methods);
      writeHeaders(response, headers);
      if ('access-control-allow-origin' in headers) {
        response.writeHeader('access-control-allow-methods', methods.replace(', OPTIONS', ''));
        response
          .writeHeader('access-control-allow-headers', 'Authorization, Content-Type, Last-Event-ID')
          .writeHeader('access-control-max-age', '600');
      }
      end(response, '');
    });
  });
  app.any(path, (response, request) => {
    if (!isHeard(response, request)) return;
    answerNextTurn(response, () => {
      response.writeStatus('405 Method Not Allowed').writeHeader('allow', methods);
      endWithJson(response, { code: 'NOT_FOUND', message: `This path answers ${methods}.` });
    });
  });
}

export function writeHeaders(response: HttpResponse, headers: Headers): void {
  for (const [name, value] of Object.entries(headers)) response.writeHeader(name, value);
}

/** Answers with 200. */
export function answerJson(response: HttpResponse, body: object, headers: Headers): void {
  writeHeaders(response.writeStatus('200 OK'), headers);
  endWithJson(response, body);
}

function endWithJson(response: HttpResponse, body: object, isHead = false): void {
  response.writeHeader('content-type', 'application/json');
  end(response, JSON.stringify(body), isHead);
}

/**
 * Ends the answer and the connection; an answer to HEAD without its body. Not by `endWithoutBody`: after it the engine leaves the
 * connection open, and each connection is to have one request.
 */
function end(response: HttpResponse, body: string | Uint8Array, isHead = false): void {
  response.end(isHead ? '' : body, true);
}

/**
 * @param extra headers beside those of the page
 * @param done called once, when the request was answered or its connection ended
 */
export function servePage(
  page: PageHandler,
  response: HttpResponse,
  request: HttpRequest,
  extra: Headers,
  done: () => void,
): void {
  let over = false;
  const finish = (answer?: () => void): void => {
    if (over) return;
    over = true;
    if (answer !== undefined) response.cork(answer);
    done();
  };
  response.onAborted(() => finish());
  const isHead = request.getMethod() === 'head';
  const asked = { query: new URLSearchParams(request.getQuery()), host: request.getHeader('host') };
  nextTurn()
    .then(() => page(asked))
    .then(
      ({ status = '200 OK', contentType, body, headers = {} }) =>
        finish(() => {
          response.writeStatus(status).writeHeader('content-type', contentType);
          writeHeaders(response, { ...headers, ...extra });
          end(response, body, isHead);
        }),
      (error: unknown) => finish(() => refuse(response, refusalOf(error), { isHead, headers: extra })),
    );
}

/** A refusal as a close frame has it. */
export interface RefusalClose {
  readonly code: number;
  readonly reason: string;
}

export function refusalCloseFor(refusal: Refusal): RefusalClose {
  return { code: REFUSAL_CLOSE_CODE[refusal.code] ?? CLOSE_CODES.BAD_REQUEST, reason: writeRefusalReason(refusal) };
}

/** RFC 6455 section 5.5: with the code, 125 bytes. Messages are ASCII. */
const REASON_MAX_LENGTH = 123;

export function pusherCloseFor({ code, message }: Refusal): RefusalClose {
  return { code: pusherRefusalCode(code), reason: message.slice(0, REASON_MAX_LENGTH) };
}

/** The refusal of the request; that of an error that is not a {@link HubbubError} names no cause. */
export function refusalOf(error: unknown): Refusal {
  const { code, message, retryAfterMs, details } =
    error instanceof HubbubError ? error : new HubbubError('UNAVAILABLE', 'This cannot be answered now.');
  if (code !== 'UNAVAILABLE' && code !== 'RATE_LIMITED') return { code, message, ...(details && { details }) };
  return { code, message, retryAfterMs: retryAfterMs ?? RETRY_AFTER_MS };
}

export interface RefusalOptions {
  readonly isHead?: boolean;
  readonly headers?: Headers;
  /** Default: that of the code. */
  readonly status?: string;
}

/** Answers with the status that belongs to the code, and its JSON body. */
export function refuse(
  response: HttpResponse,
  { code, message, retryAfterMs, details }: Refusal,
  { isHead = false, headers = {}, status }: RefusalOptions = {},
): void {
  const statuses: Partial<Record<ErrorCode, string>> = REFUSAL_STATUS;
  response.writeStatus(status ?? statuses[code] ?? '400 Bad Request');
  writeHeaders(response, headers);
  if (retryAfterMs !== undefined) response.writeHeader('retry-after', String(Math.ceil(retryAfterMs / 1000)));
  if (code === 'UNAUTHORIZED') response.writeHeader('www-authenticate', 'Bearer'); // RFC 6750 section 3.
  endWithJson(response, { code, message, details }, isHead);
}

const LEAVING: Refusal = {
  code: 'UNAVAILABLE',
  message: 'This edge is leaving; connect again to reach another one.',
  retryAfterMs: RETRY_AFTER_MS,
};

/** Refuses with the status that proxies repeat. Always an HTTP answer: after an upgrade no proxy could repeat anything. */
export function refuseLeaving(response: HttpResponse, headers: Headers = {}): void {
  answerNextTurn(response, () => refuse(response, LEAVING, { headers, status: LEAVING_STATUS }));
}
