/** Traces, with OpenTelemetry. */
import { baseUrl, flag, fraction } from './fields.js';

export const tracingSettings = {
  otlpUrl: baseUrl('http://127.0.0.1:4318')
    .optional()
    .describe(
      'Collector of [traces](tracing.md), over HTTP; /v1/traces is added. Unset: OTEL_EXPORTER_OTLP_ENDPOINT, else no traces.',
    ),
  traceRatio: fraction()
    .optional()
    .describe(
      'Fraction of the messages from clients, and of the API requests without a traceparent, that are traced. Unset: 0.01.',
    ),
  tracePersonalData: flag().default(false).describe('Whether spans name rooms and users.'),
};
