/** What the public port answers to plain HTTP: pages, and refusals with their status (PROTOCOL.md section 1). */
import { type ErrorCode, HubbubError } from '@hubbub/protocol';
import { REFUSAL_STATUS } from './admission/admission.js';
import type { HttpRequest, HttpResponse } from './engine.js';
import { LimitExceeded } from './limits/limit-exceeded.js';

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

/** @param done called once, when the request was answered or its connection ended */
export function servePage(page: PageHandler, response: HttpResponse, request: HttpRequest, done: () => void): void {
  let answered = false;
  const finish = (answer?: () => void): void => {
    if (answered) return;
    answered = true;
    if (answer !== undefined) response.cork(answer);
    done();
  };
  response.onAborted(() => finish());
  Promise.resolve({ query: new URLSearchParams(request.getQuery()), host: request.getHeader('host') })
    .then(page)
    .then(
      ({ status = '200 OK', contentType, body, headers = {} }) =>
        finish(() => {
          response.writeStatus(status).writeHeader('content-type', contentType);
          for (const [name, value] of Object.entries(headers)) response.writeHeader(name, value);
          // One request for each connection: one that could ask for ever would never have to become a session.
          response.end(body, true);
        }),
      (error: unknown) => finish(() => refuseFor(response, error)),
    );
}

/** Answers with what the error says, where it is one of ours. */
export function refuseFor(response: HttpResponse, error: unknown): void {
  const { code, message } =
    error instanceof HubbubError ? error : new HubbubError('UNAVAILABLE', 'This cannot be answered now.');
  refuse(response, code, message, error instanceof LimitExceeded ? error.retryAfterMs : undefined);
}

/** Answers with the status that belongs to the code, and its JSON body. */
export function refuse(response: HttpResponse, code: ErrorCode, message: string, retryAfterMs = 1000): void {
  const statuses: Partial<Record<ErrorCode, string>> = REFUSAL_STATUS;
  response.writeStatus(statuses[code] ?? '400 Bad Request').writeHeader('content-type', 'application/json');
  if (code === 'UNAVAILABLE' || code === 'RATE_LIMITED') {
    response.writeHeader('retry-after', String(Math.ceil(retryAfterMs / 1000)));
  }
  if (code === 'UNAUTHORIZED') response.writeHeader('www-authenticate', 'Bearer'); // RFC 6750 section 3.
  response.end(JSON.stringify({ code, message }), true);
}
