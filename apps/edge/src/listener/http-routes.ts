/** Serves HTTP on the public port: pages, the reason of a refusal, and answers to requests that no route takes. */
import type { Config } from '@hubbub/config';
import { HubbubError } from '@hubbub/protocol';
import type { IpAddress } from '../limits/limit-key.js';
import { type ConnectionWatchOptions, clientOf } from './connection-watch.js';
import type { HttpRequest, HttpResponse, TemplatedApp } from './engine.js';
import { assertSingleHeaders, readHandshake } from './handshake.js';
import {
  allowOrigin,
  answerMethods,
  answerNextTurn,
  type Headers,
  type PageHandler,
  refusalOf,
  refuse,
  refuseLeaving,
  servePage,
} from './http-answers.js';
import type { HandshakeEvents } from './listener-events.js';
import { type RoomRoute, roomPathTemplates, roomRoutes } from './room-paths.js';

/** The CORS headers of an answer to this origin. */
type CorsHeaders = (origin: string, host: string) => Headers;

export interface HttpRouteOptions
  extends ConnectionWatchOptions,
    Pick<Config, 'basePath' | 'roomPaths' | 'production'> {
  readonly pages: Readonly<Record<string, PageHandler>>;
  /** Paths of pages that scripts of other origins may read, where `corsHeaders` allows it. */
  readonly openPages: readonly string[];
  readonly corsHeaders: CorsHeaders;
  readonly events: Pick<HandshakeEvents, 'admit' | 'screen'>;
}

export function serveHttp(app: TemplatedApp, options: HttpRouteOptions): void {
  const { basePath, production, corsHeaders } = options;
  // In development every page may read why its connection is refused, also for its origin. Browsers hide that otherwise.
  const refusalHeaders: CorsHeaders = production ? corsHeaders : origin => allowOrigin(origin);
  const isHeard = (response: HttpResponse, request: HttpRequest): boolean =>
    clientOf(response, request, options) !== undefined;
  for (const [path, page] of Object.entries(options.pages)) {
    const headersFor: CorsHeaders = options.openPages.includes(path) ? corsHeaders : () => ({});
    const serve = (response: HttpResponse, request: HttpRequest): void => {
      const client = clientOf(response, request, options);
      if (client !== undefined) serveLimited(page, { response, request, client, headersFor }, options);
    };
    app.get(path, serve);
    app.head(path, serve);
    answerMethods(app, path, { headersFor, isHeard });
  }
  const routes: Array<readonly [string, RoomRoute | undefined]> = [['/ws', undefined]];
  for (const route of roomRoutes(options.roomPaths)) routes.push([route.pattern, route]);
  for (const [pattern, route] of routes) {
    const path = `${basePath}${pattern}`;
    const explain = (response: HttpResponse, request: HttpRequest): void => {
      const client = clientOf(response, request, options);
      if (client === undefined) return;
      const handshake = readHandshake(request, client.text, route);
      const judge: PageHandler = async () => {
        assertSingleHeaders(handshake);
        await options.events.admit(handshake);
        throw new HubbubError('UPGRADE_REQUIRED', NOT_A_WEBSOCKET);
      };
      serveLimited(judge, { response, request, client, headersFor: refusalHeaders }, options);
    };
    const get = production ? answer(new HubbubError('UPGRADE_REQUIRED', NOT_A_WEBSOCKET)) : explain;
    app.get(path, get);
    app.head(path, get);
    answerMethods(app, path, { headersFor: refusalHeaders, isHeard });
  }
  const templates = ['/ws', ...roomPathTemplates(options.roomPaths)].map(path => `${basePath}${path}`);
  app.any('/*', answer(new HubbubError('NOT_FOUND', `WebSockets are at ${templates.join(', ')}.`)));

  function answer(error: HubbubError): (response: HttpResponse, request: HttpRequest) => void {
    return (response, request) => {
      const headers = refusalHeaders(request.getHeader('origin'), request.getHeader('host'));
      if (!isHeard(response, request)) return;
      const isHead = request.getMethod() === 'head';
      answerNextTurn(response, () => refuse(response, refusalOf(error), { isHead, headers }));
    };
  }
}

const NOT_A_WEBSOCKET = 'This path speaks WebSocket: connect with a WebSocket client.';

interface Exchange {
  readonly response: HttpResponse;
  readonly request: HttpRequest;
  readonly client: IpAddress;
  readonly headersFor: CorsHeaders;
}

/** Serves the page within the limits of handshakes: a page may cost as much as one. */
function serveLimited(
  page: PageHandler,
  { response, request, client, headersFor }: Exchange,
  { gate, events }: Pick<HttpRouteOptions, 'gate' | 'events'>,
): void {
  const headers = headersFor(request.getHeader('origin'), request.getHeader('host'));
  const screening = events.screen();
  if (screening === 'leaving') {
    refuseLeaving(response, headers);
    return;
  }
  if (screening !== 'pass') {
    answerNextTurn(response, () => refuse(response, screening, { headers }));
    return;
  }
  try {
    gate.admit(client.group);
  } catch (error) {
    answerNextTurn(response, () => refuse(response, refusalOf(error), { headers }));
    return;
  }
  servePage(page, response, request, headers, () => gate.release(client.group));
}
