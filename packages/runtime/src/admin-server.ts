/** The admin port: is it alive, is it ready, what does it measure. Never exposed to clients. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ListenAddress, listenFailure } from './listen-failure.js';

/** The answer of `/readyz`: 200 when ready, else 503, with the result of every check. */
export interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, string>>;
}

/** Answers requests that the admin port does not know itself; returns false to leave them unanswered (404). */
export type AdminRequestHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

export interface AdminServerOptions extends ListenAddress {
  /** A registry, or what adds up several. */
  readonly metrics: { readonly contentType: string; metrics(): Promise<string> };
  readiness(): Readiness | Promise<Readiness>;
  readonly handle?: AdminRequestHandler;
  /** Returns why requests to this host are refused. The health of the process is not a secret: those paths skip it. */
  hostProblem(host: string): string | undefined;
}

export interface AdminServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Resolves when the port is bound; rejects with the reason and what to do when it cannot be. */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const server = createServer((request, response) => {
    answer(options, request, response).catch(error => {
      // A collector that throws must not end the process; the scraper sees the failure.
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(listenFailure(error, options)));
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const PATHS: readonly string[] = ['/healthz', '/readyz', '/metrics'];

/** GET, or HEAD: Node leaves out the body of its answer. */
export function isRead({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** Answers a request for a known path whose method is neither GET nor HEAD. */
export function answerOtherMethod({ method }: IncomingMessage, response: ServerResponse): void {
  response.setHeader('allow', 'GET, HEAD, OPTIONS');
  if (method === 'OPTIONS') response.writeHead(204).end();
  else sendJson(response, 405, { code: 'NOT_FOUND', message: 'This path answers GET, HEAD and OPTIONS.' });
}

async function answer(options: AdminServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [path = '/'] = (request.url ?? '/').split('?', 1);
  if (PATHS.includes(path) && !isRead(request)) return answerOtherMethod(request, response);
  if (path === '/healthz') return sendJson(response, 200, { status: 'alive' });
  if (path === '/readyz') {
    const readiness = await options.readiness();
    return sendJson(response, readiness.ready ? 200 : 503, readiness);
  }
  const message = options.hostProblem(request.headers.host ?? '');
  if (message !== undefined) {
    sendJson(response, 403, { code: 'FORBIDDEN', message });
  } else if (path === '/metrics') {
    response.writeHead(200, { 'content-type': options.metrics.contentType });
    response.end(await options.metrics.metrics());
  } else if (!options.handle?.(request, response)) {
    sendJson(response, 404, { code: 'NOT_FOUND', message: 'The admin port knows /healthz, /readyz and /metrics.' });
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(body)}\n`);
}
