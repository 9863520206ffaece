/** The port of the API: finds the route, asks for the key, bounds what comes in, answers JSON. */

import type { RequestSources } from '@hubbub/config';
import { HubbubError, jsonCodec } from '@hubbub/protocol';
import { createKeyCheck } from '@hubbub/runtime';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { ApiMetrics } from '../metrics.js';
import { answerConnectionError } from './connection-errors.js';
import { OpenConnections } from './open-connections.js';
import { openApiDescription } from './openapi.js';
import { type Refusal, refusalOf, retryAfterSeconds } from './refusal.js';
import { nameOf, type Route, type RouteParts } from './route.js';

export interface HttpServerOptions {
  readonly routes: readonly Route[];
  readonly parts: RouteParts;
  /** None: every request is answered 401. */
  readonly apiKeys: readonly string[];
  readonly maxBodyBytes: number;
  readonly maxHeaderBytes: number;
  /** From the first byte of a request to its last. */
  readonly requestTimeoutMs: number;
  /** Counts and bounds the requests in flight. */
  readonly slots: RequestSlots;
  /** The addresses that may send requests. */
  readonly sources: RequestSources;
  readonly metrics: ApiMetrics;
}

/** Requests that have come and are not answered yet. */
export class RequestSlots {
  #taken = 0;

  constructor(readonly max: number) {}

  get taken(): number {
    return this.#taken;
  }

  /** Takes one, whether or not there is room; false when there is none. */
  take(): boolean {
    this.#taken++;
    return this.#taken <= this.max;
  }

  release(): void {
    this.#taken--;
  }
}

const NO_ROUTE = 'none';
const OPENAPI_PATH = '/openapi.json';

/** Not listening yet. */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const { routes, parts, metrics, slots, maxBodyBytes, requestTimeoutMs } = options;
  const connections = new OpenConnections();
  let isLeaving = false;
  const server = fastify({
    logger: false,
    bodyLimit: maxBodyBytes,
    requestTimeout: requestTimeoutMs,
    exposeHeadRoutes: true,
    // Requests in flight at shutdown are still answered.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // The headers are bounded already, and a name that is too long gets its own error.
    routerOptions: { maxParamLength: options.maxHeaderBytes },
    http: {
      maxHeaderSize: options.maxHeaderBytes,
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(1000, requestTimeoutMs),
    },
    clientErrorHandler: (error, socket) => answerConnectionError(error, socket, metrics, connections.canAnswer(socket)),
    frameworkErrors: (error, _request, reply) => refuse(reply, refusalOf(error, maxBodyBytes)),
  });
  const isAuthorized = createKeyCheck(options.apiKeys);

  server.addHook('onRequest', async (request, reply) => {
    const beganAtMs = performance.now();
    const isFree = slots.take();
    connections.began(request.raw, reply.raw);
    // `close` comes always, also where the connection is lost before the answer.
    reply.raw.once('close', () => {
      slots.release();
      const status = reply.raw.writableFinished ? reply.statusCode : 'aborted';
      metrics.answered(labelOf(request), status, performance.now() - beganAtMs);
    });
    if (!isFree) {
      metrics.limited('requests');
      throw new HubbubError(
        'RATE_LIMITED',
        `More than HUBBUB_API_MAX_REQUESTS (${slots.max}) requests are in flight; retry later.`,
      );
    }
  });
  server.addHook('onRequest', async ({ headers: { host = '' } }) => {
    const problem = options.sources.hostProblem(host);
    if (problem !== undefined) throw new HubbubError('FORBIDDEN', problem);
  });
  server.addHook('onSend', async (_request, reply) => {
    if (isLeaving) reply.header('connection', 'close');
  });
  connections.watch(server.server);
  server.addHook('preClose', async () => {
    isLeaving = true;
    // From now on Node looks no more for requests that do not come in.
    const timer = setTimeout(() => connections.endIncomplete(), requestTimeoutMs);
    server.server.once('close', () => clearTimeout(timer));
  });

  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) => {
    try {
      return body.length === 0 ? undefined : jsonCodec.decode(body);
    } catch (cause) {
      throw new HubbubError('INVALID_FORMAT', 'The body is not JSON in UTF-8.', { cause });
    }
  });

  server.setErrorHandler((error, _request, reply) => {
    const refusal = refusalOf(error, maxBodyBytes);
    if (refusal.limit !== undefined) metrics.limited(refusal.limit);
    if (refusal.isDefect) metrics.defect(error);
    return refuse(reply, refusal);
  });
  server.setNotFoundHandler(notFoundHandler(routes));

  const description = openApiDescription(routes);
  server.get(OPENAPI_PATH, { config: { label: `GET ${OPENAPI_PATH}` } }, async (_request, reply) => {
    return reply.header('cache-control', 'no-store').send(description);
  });
  for (const route of routes) {
    server.route({
      method: route.method,
      url: route.path.replace(/\{(\w+)\}/g, ':$1'),
      config: { label: nameOf(route) },
      // Before a byte of the body is read.
      onRequest: async request => {
        if (isAuthorized(headerOf(request, 'authorization'))) return;
        throw new HubbubError('UNAUTHORIZED', UNAUTHORIZED[options.apiKeys.length === 0 ? 'closed' : 'wrong']);
      },
      handler: async (request, reply) => {
        const answer = await route.handle(parts, {
          parameters: request.params as Readonly<Record<string, string>>,
          query: request.query,
          body: request.body,
          keyHeader: headerOf(request, 'idempotency-key'),
        });
        return reply.header('cache-control', 'no-store').send(answer);
      },
    });
  }
  return server;
}

const UNAUTHORIZED = {
  wrong: 'Authorization: Bearer <API key> is missing or wrong.',
  closed: 'HUBBUB_API_KEYS is not set: this interface is closed.',
};

function refuse(reply: FastifyReply, refusal: Refusal): FastifyReply {
  const { status, code, message } = refusal;
  const seconds = retryAfterSeconds(refusal);
  if (seconds !== undefined) reply.header('retry-after', seconds);
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  return reply.code(status).header('cache-control', 'no-store').send({ code, message });
}

/** Lists the paths; for a known path, lists its methods. */
function notFoundHandler(routes: readonly Route[]) {
  const names = [...routes.map(nameOf), `GET ${OPENAPI_PATH}`].sort();
  const patterns = [...routes, { method: 'GET', path: OPENAPI_PATH }].map(({ method, path }) => ({
    method,
    pattern: new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+')}$`),
  }));
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const [path = ''] = request.url.split('?', 1);
    const methods = patterns.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
    const allowed = [...methods, ...(methods.includes('GET') ? ['HEAD'] : [])];
    reply.header('cache-control', 'no-store');
    if (allowed.length === 0) {
      return reply.code(404).send({ code: 'NOT_FOUND', message: 'There is no such path.', routes: names });
    }
    reply.header('allow', [...allowed, 'OPTIONS'].join(', '));
    if (request.method === 'OPTIONS') return reply.code(204).send();
    const message = `This path is asked with ${allowed.join(' or ')}.`;
    return reply.code(405).send({ code: 'NOT_FOUND', message, routes: names });
  };
}

function labelOf(request: FastifyRequest): string {
  const config: unknown = request.routeOptions.config;
  if (typeof config !== 'object' || config === null || !('label' in config)) return NO_ROUTE;
  return typeof config.label === 'string' ? config.label : NO_ROUTE;
}

/** @throws {HubbubError} `INVALID_FORMAT` where it stands there twice: Node would join the two to one. */
function headerOf(request: FastifyRequest, name: string): string | undefined {
  const values = request.raw.headersDistinct[name];
  if (values !== undefined && values.length > 1) {
    throw new HubbubError('INVALID_FORMAT', `${name}: expected one, got ${values.length}`);
  }
  return values?.[0];
}
