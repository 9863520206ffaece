/** One span for each request, which continues the `traceparent` of the caller. */

import type { Span, Tracing } from '@hubbub/runtime';
import { type HttpServer, routeName } from '@hubbub/runtime/http';

export function traceRequests(server: HttpServer, tracing: Tracing): void {
  const spans = new WeakMap<object, Span>();
  server.addHook('onRequest', (request, _reply, done) => {
    // Node joins a header that occurs twice: then it is malformed, as the specification wants it.
    const parent = request.headers.traceparent?.toString();
    // The template of the path: the path itself names rooms and users.
    const span = tracing.start({ name: routeName(request), kind: 'server' }, parent);
    if (span === undefined) return done();
    spans.set(request, span);
    span.run(done);
  });
  server.addHook('onResponse', async (request, { statusCode }) => {
    const span = spans.get(request);
    span?.set({ 'http.request.method': request.method, 'http.response.status_code': statusCode });
    span?.end(statusCode >= 500 ? new Error(`answered ${statusCode}`) : undefined);
  });
}
