/** Serves HTTP on the public port: pages, and answers to requests that no route takes. */
import type { Config } from '@hubbub/config';
import type { ErrorCode } from '@hubbub/protocol';
import { type ConnectionWatchOptions, clientOf } from './connection-watch.js';
import type { HttpRequest, HttpResponse, TemplatedApp } from './engine.js';
import { answerMethods, answerNextTurn, type PageHandler, refusalOf, refuse, servePage } from './http-answers.js';
import { roomPathTemplates, roomRoutes } from './room-paths.js';

export interface HttpRouteOptions extends ConnectionWatchOptions, Pick<Config, 'basePath' | 'roomPaths'> {
  readonly pages: Readonly<Record<string, PageHandler>>;
  /** Paths of pages that scripts of other origins may read, where `corsHeaders` allows it. */
  readonly openPages: readonly string[];
  readonly corsHeaders: (origin: string, host: string) => Readonly<Record<string, string>>;
}

export function serveHttp(app: TemplatedApp, options: HttpRouteOptions): void {
  const { basePath, gate } = options;
  const isHeard = (response: HttpResponse, request: HttpRequest): boolean =>
    clientOf(response, request, options) !== undefined;
  const routes = roomRoutes(options.roomPaths);
  for (const [path, page] of Object.entries(options.pages)) {
    const sharedWith = (origin: string, host: string) =>
      options.openPages.includes(path) ? options.corsHeaders(origin, host) : {};
    const serve = (response: HttpResponse, request: HttpRequest): void => {
      const client = clientOf(response, request, options);
      if (client === undefined) return;
      const headers = sharedWith(request.getHeader('origin'), request.getHeader('host'));
      try {
        gate.admit(client.group);
      } catch (error) {
        answerNextTurn(response, () => refuse(response, refusalOf(error), { headers }));
        return;
      }
      servePage(page, response, request, headers, () => gate.release(client.group));
    };
    app.get(path, serve);
    app.head(path, serve);
    answerMethods(app, path, sharedWith, isHeard);
  }
  const answer = (code: ErrorCode, message: string) => (response: HttpResponse, request: HttpRequest) => {
    if (!isHeard(response, request)) return;
    const isHead = request.getMethod() === 'head';
    answerNextTurn(response, () => refuse(response, { code, message }, { isHead }));
  };
  const notAWebSocket = answer('UPGRADE_REQUIRED', 'This path speaks WebSocket: connect with a WebSocket client.');
  for (const path of ['/ws', ...routes.map(({ pattern }) => pattern)].map(path => `${basePath}${path}`)) {
    app.get(path, notAWebSocket);
    app.head(path, notAWebSocket);
    answerMethods(app, path, () => ({}), isHeard);
  }
  const templates = ['/ws', ...roomPathTemplates(options.roomPaths)].map(path => `${basePath}${path}`);
  app.any('/*', answer('NOT_FOUND', `WebSockets are at ${templates.join(', ')}.`));
}
