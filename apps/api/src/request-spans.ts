/** One span for each request, which continues the `traceparent` of the caller. */

import type { Tracing } from '@hubbub/runtime';
import { type HttpServer, routeName } from '@hubbub/runtime/http';

export function traceRequests(server: HttpServer, tracing: Tracing): void {
  server.addHook('onRequest', (request, _reply, done) => {
    // Node joins a header that occurs twice: then it is malformed, as the specification wants it.
    const parent = request.headers.traceparent?.toString();
    // The template of the path: the path itself names rooms and users.
    request.span = tracing.start({ name: routeName(request), kind: 'server' }, parent);
    done();
  });
  server.addHook('onResponse', async ({ method, span }, { statusCode }) => {
    span?.set({ 'http.request.method': method, 'http.response.status_code': statusCode });
    span?.end(statusCode >= 500 ? new Error(`answered ${statusCode}`) : undefined);
  });
}
