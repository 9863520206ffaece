/** The routes that publish a message over plain HTTP (PROTOCOL.md section 10.5). */
import { type ErrorCode, type Frame, HubbubError, isErrorCode, isPlainObject, type Refusal } from '@hubbub/protocol';
import type { Admitted } from '../admission/admission.js';
import type { PublishOverHttp } from '../event-streams/publish-over-http.js';
import { LimitExceeded } from '../limits/limit-exceeded.js';
import { clientOf } from './connection-watch.js';
import type { HttpRequest, HttpResponse, TemplatedApp } from './engine.js';
import type { EventRouteOptions } from './event-routes.js';
import { answerJson, answerMethods, type Headers, refusalOf, refuse } from './http-answers.js';
import { judgeHandshake, plainAnswers } from './judge-handshake.js';
import { readBody } from './read-body.js';
import { messageRoutes, type RoomRoute } from './room-paths.js';

export interface MessageRouteOptions
  extends Pick<
    EventRouteOptions,
    'basePath' | 'roomPaths' | 'corsHeaders' | 'events' | 'addresses' | 'gate' | 'limitMetrics' | 'handshakeTimeoutMs'
  > {
  readonly publish: PublishOverHttp;
  readonly maxFrameBytes: number;
}

/** Statuses of answers to a frame; those of other codes are in `REFUSAL_STATUS`. */
const STATUS: Partial<Record<ErrorCode, string>> = {
  TOO_LARGE: '413 Content Too Large',
  OUTCOME_UNKNOWN: '503 Service Unavailable',
};

export function servePublishing(app: TemplatedApp, options: MessageRouteOptions): void {
  const { basePath, corsHeaders, gate, limitMetrics, publish } = options;
  const isHeard = (response: HttpResponse, request: HttpRequest): boolean =>
    clientOf(response, request, options) !== undefined;
  for (const route of messageRoutes(options.roomPaths)) {
    const path = `${basePath}${route.pattern}`;
    app.post(path, (response, request) => servePost(response, request, route));
    answerMethods(app, path, { headersFor: corsHeaders, isHeard, methods: 'POST, OPTIONS' });
  }

  function servePost(response: HttpResponse, request: HttpRequest, route: RoomRoute): void {
    const headers = corsHeaders(request.getHeader('origin'), request.getHeader('host'));
    const body = readBody(response, { maxBytes: options.maxFrameBytes, timeoutMs: options.handshakeTimeoutMs });
    body.catch(() => {}); // A request that is refused without it.
    const accept = (admitted: Admitted, group: string): void => {
      void publishBody(response, body, admitted, group, headers);
    };
    judgeHandshake(response, request, { ...plainAnswers(response, request, route, headers), accept }, options);
  }

  /** Never rejects. */
  async function publishBody(
    response: HttpResponse,
    body: Promise<Uint8Array>,
    admitted: Admitted,
    group: string,
    headers: Headers,
  ): Promise<void> {
    let ended = false;
    const end = (): boolean => {
      if (ended) return false;
      ended = true;
      gate.release(group);
      return true;
    };
    response.onAborted(() => void end());
    try {
      const bytes = await body;
      publish(admitted, bytes, frame => {
        if (end()) response.cork(() => answerFrame(response, frame, headers));
      });
    } catch (error) {
      if (error instanceof LimitExceeded) limitMetrics.exceeded(error.limit);
      const refusal = refusalOf(error);
      if (end()) response.cork(() => refuse(response, refusal, { headers, ...statusOf(refusal) }));
    }
  }
}

function answerFrame(response: HttpResponse, { type, payload, epoch, offset }: Frame, headers: Headers): void {
  const fields = isPlainObject(payload) ? payload : {};
  if (type === 'ack') {
    answerJson(response, { ...fields, epoch, offset }, headers);
    return;
  }
  const { code, message, retry_after_ms: retryAfterMs, details } = fields;
  const refusal = refusalOf(
    new HubbubError(isErrorCode(code) ? code : 'OUTCOME_UNKNOWN', String(message), {
      ...(typeof retryAfterMs === 'number' && { retryAfterMs }),
      ...(isPlainObject(details) && { details }),
    }),
  );
  refuse(response, refusal, { headers, ...statusOf(refusal) });
}

function statusOf({ code }: Refusal): { readonly status?: string } {
  const status = STATUS[code];
  return status === undefined ? {} : { status };
}
