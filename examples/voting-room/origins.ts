/** Pages of which sites may ask the service: all in development, those of a list in production. The edges do the same for who listens. */
import type { FastifyInstance } from 'fastify';

/** @param allowed such as `https://vote.example.org`; not given: all. The service's own pages, and programs, always may. */
export function admitOrigins(http: FastifyInstance, allowed: readonly string[] | undefined): void {
  http.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers;
    if (origin === undefined || isOwn(origin, request.headers.host)) return;
    if (allowed !== undefined && !allowed.includes(origin)) {
      return reply.code(403).send({ error: 'this origin may not ask' });
    }
    reply.headers({ 'access-control-allow-origin': origin, vary: 'Origin' });
    if (request.method !== 'OPTIONS') return;
    // The preflight of a browser before a PATCH of another site.
    reply.headers({ 'access-control-allow-methods': 'GET, PATCH', 'access-control-allow-headers': 'content-type' });
    return reply.code(204).send();
  });
}

function isOwn(origin: string, host: string | undefined): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}
