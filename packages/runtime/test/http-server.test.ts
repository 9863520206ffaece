/** An HTTP server answers and logs a defect in a handler, which no request of the stories causes. */
import { expect, onTestFinished, test } from 'vitest';
import { createHttpServer } from '../src/http/http-server.js';
import type { Logger } from '../src/logger.js';
import type { Span } from '../src/tracing.js';

test('answers a defect with 500 and without its message, and logs it with the ids of the trace', async () => {
  const lines: object[] = [];
  const add = (fields: object) => void lines.push(fields);
  const log: Logger = { info: add, warn: add, error: add };
  const server = createHttpServer({ hostProblem: () => undefined, log });
  onTestFinished(() => server.close());
  const logFields = { trace_id: 'a trace', span_id: 'a span' };
  server.addHook('onRequest', async request => {
    if (request.headers.traceparent !== undefined) request.span = { logFields } as Span;
  });
  const defect = new TypeError('a secret of the code');
  server.get('/', () => Promise.reject(defect));

  const answer = await server.inject({ url: '/', headers: { traceparent: 'any' } });
  expect(answer.statusCode).toBe(500);
  expect(answer.body).not.toContain('secret');
  expect(lines).toEqual([{ event: 'request_failed', err: defect, suppressed: 0, ...logFields }]);
});
