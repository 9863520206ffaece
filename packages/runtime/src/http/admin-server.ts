/** The admin port: is the process alive, is it ready, what does it measure. Clients never reach it. */
import type { AddressInfo } from 'node:net';
import { type ListenAddress, listenFailure } from '../listen-failure.js';
import { createHttpServer, type HttpServer, type HttpServerOptions } from './http-server.js';

/** The answer of `/readyz`: 200 when ready, else 503, with the result of every check. */
export interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, string>>;
}

/** Adds routes to the admin port. */
export type AdminRoutes = (server: HttpServer) => Promise<void>;

export interface AdminServerOptions extends ListenAddress, Pick<HttpServerOptions, 'hostProblem' | 'log'> {
  /** A registry, or the sum of several. */
  readonly metrics: { readonly contentType: string; metrics(): Promise<string> };
  readiness(): Readiness | Promise<Readiness>;
  readonly routes?: AdminRoutes;
}

export interface AdminServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Resolves when the port is bound. @throws {Error} with the reason and the remedy if it cannot be. */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const { host, port, metrics, readiness, routes, hostProblem, log } = options;
  const server = createHttpServer({ hostProblem, log, forceCloseConnections: true });
  // Probes of load balancers use any host.
  const forEveryHost = { config: { isForEveryHost: true } };
  server.get('/healthz', forEveryHost, async () => ({ status: 'alive' }));
  server.get('/readyz', forEveryHost, async (_request, reply) => {
    const answer = await readiness();
    return reply.code(answer.ready ? 200 : 503).send(answer);
  });
  server.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()));
  if (routes !== undefined) await server.register(routes);
  await server.listen({ host, port }).catch((error: unknown) => {
    throw listenFailure(error, options);
  });
  return { port: (server.server.address() as AddressInfo).port, close: () => server.close() };
}
