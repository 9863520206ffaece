/** The HTTP server of every port but the public one: hosts, JSON, error answers and HTTP's conventions. */
import { type ErrorCode, type ErrorDetails, HubbubError, jsonCodec } from '@hubbub/protocol';
import {
  type FastifyBaseLogger,
  type FastifyHttpOptions,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { type Logger, occasionally } from '../logger.js';
import type { Span, SpanLogFields } from '../tracing.js';

export type HttpServer = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

export type HttpRequest = FastifyRequest;
export type HttpReply = FastifyReply;

declare module 'fastify' {
  interface FastifyRequest {
    /** Of a request that is traced. */
    span: Span | undefined;
  }
  interface FastifyContextConfig {
    /** Answers requests to every host. */
    readonly isForEveryHost?: boolean;
    /** Answers requests without an API key. */
    readonly isOpen?: boolean;
  }
}

export interface HttpServerOptions extends FastifyHttpOptions<RawServerDefault> {
  /** Returns why requests to this host are refused. */
  hostProblem(host: string): string | undefined;
  /** Gets each defect, at a limited rate. */
  readonly log: Logger;
  /** The setting that bounds a body, for the error message. */
  readonly bodyLimitSetting?: string;
}

const DEFECT_LOG_INTERVAL_MS = 1000;
/** The headers of a request are bounded already, and a name that is too long gets its own error. */
const PARAMETER_MAX_LENGTH = 65_536;
/** The default of Node. */
const REQUEST_TIMEOUT_MS = 300_000;

/** Creates a server that does not listen yet. Errors are answered as `{ code, message }`. */
export function createHttpServer({ hostProblem, log, bodyLimitSetting, ...options }: HttpServerOptions): HttpServer {
  const server = fastify({
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Requests that arrived before the shutdown are still answered.
    return503OnClosing: false,
    routerOptions: { maxParamLength: PARAMETER_MAX_LENGTH },
    frameworkErrors: answerError,
    ...options,
  }).withTypeProvider<ZodTypeProvider>();
  server.decorateRequest('span', undefined);

  server.setReplySerializer(answer => `${JSON.stringify(answer)}\n`);
  // Schemas describe the answers; tests compare the two, not every request.
  server.setSerializerCompiler(() => JSON.stringify);

  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) => {
    try {
      return body.length === 0 ? undefined : jsonCodec.decode(body);
    } catch (cause) {
      throw new HubbubError('INVALID_FORMAT', 'The body is not JSON in UTF-8.', { cause });
    }
  });

  server.addHook('onRequest', async ({ headers: { host = '' }, routeOptions }, reply) => {
    reply.header('cache-control', 'no-store');
    const problem = routeOptions.config.isForEveryHost ? undefined : hostProblem(host);
    if (problem !== undefined) throw new HubbubError('FORBIDDEN', problem);
  });

  const logDefect = occasionally(DEFECT_LOG_INTERVAL_MS, (suppressed, error: unknown, spanFields?: SpanLogFields) =>
    log.error(
      { event: 'request_failed', err: error, suppressed, ...spanFields },
      'a request failed because of a defect',
    ),
  );
  function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const { status, code, message, retryAfterMs = 1000, details } = refusalOf(error, bodyLimitSetting);
    if (status === 500) logDefect(error, request.span?.logFields);
    if (status === 503 || status === 429) reply.header('retry-after', Math.ceil(retryAfterMs / 1000));
    if (status === 401) reply.header('www-authenticate', 'Bearer');
    reply.code(status).send({ code, message, details });
  }
  server.setErrorHandler(answerError);
  answerUnknownRoutes(server);
  return server;
}

interface Refusal {
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
  /** Default: 1000; Redis is found again within about a second. */
  readonly retryAfterMs?: number | undefined;
  readonly details?: ErrorDetails | undefined;
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

function refusalOf(error: unknown, bodyLimitSetting = 'the limit'): Refusal {
  if (error instanceof HubbubError) {
    const { code, message, retryAfterMs, details } = error;
    return { status: STATUS[code] ?? 400, code, message, retryAfterMs, details };
  }
  switch (Object(error).code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return { status: 413, code: 'TOO_LARGE', message: `The body is larger than ${bodyLimitSetting}.` };
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE': {
      const message = 'Bodies are JSON: send the header Content-Type: application/json.';
      return { status: 415, code: 'INVALID_FORMAT', message };
    }
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return {
        status: 400,
        code: 'INVALID_FORMAT',
        message: 'The length of the body differs from its Content-Length header.',
      };
    case 'FST_ERR_BAD_URL':
      return { status: 400, code: 'INVALID_FORMAT', message: 'Malformed percent-encoding in the URL path.' };
    default:
      // The log has the details; the client gets none.
      return {
        status: 500,
        code: 'OUTCOME_UNKNOWN',
        message: 'Internal error; the log of the process has the details.',
      };
  }
}

/** Answers a path that does not exist with those that do, and an existing path with its methods. */
function answerUnknownRoutes(server: HttpServer): void {
  const routes: { readonly method: string; readonly url: string; readonly pattern: RegExp }[] = [];
  server.addHook('onRoute', ({ method, url }) => {
    const pattern = new RegExp(`^${url.replace(/[.]/g, '\\.').replace(/:\w+/g, '[^/]+')}$`);
    routes.push({ method: String(method), url, pattern });
  });
  server.setNotFoundHandler(async ({ url, method }, reply) => {
    const [path = ''] = url.split('?', 1);
    const allowed = routes.filter(({ pattern }) => pattern.test(path)).map(route => route.method);
    if (allowed.length > 0) reply.header('allow', [...allowed, 'OPTIONS'].join(', '));
    if (allowed.length > 0 && method === 'OPTIONS') return reply.code(204).send();
    const message =
      allowed.length === 0 ? 'This path does not exist.' : `This path answers ${[...allowed, 'OPTIONS'].join(', ')}.`;
    const names = routes
      .filter(route => route.method !== 'HEAD')
      .map(route => `${route.method} ${templateOf(route.url)}`);
    return reply.code(allowed.length === 0 ? 404 : 405).send({ code: 'NOT_FOUND', message, routes: names.sort() });
  });
}

/** @example templateOf('/rooms/:room_id') === '/rooms/{room_id}' */
function templateOf(url: string): string {
  return url.replace(/:(\w+)/g, '{$1}');
}

/** Returns the route of a request for a label of metrics: method and template of the path. `none` if no route matched. */
export function routeName({ is404, routeOptions: { method, url = '' } }: FastifyRequest): string {
  return is404 ? 'none' : `${method === 'HEAD' ? 'GET' : method} ${templateOf(url)}`;
}

/** @throws {HubbubError} `INVALID_FORMAT` if the header occurs twice: Node would join the two values. */
export function singleHeader(request: FastifyRequest, name: string): string | undefined {
  const values = request.raw.headersDistinct[name];
  if (values === undefined || values.length < 2) return values?.[0];
  throw new HubbubError('INVALID_FORMAT', `${name}: expected one, got ${values.length}`);
}
