/** The metrics of the API: one function for each event. Labels name routes, never rooms or users. */
import { type MetricsRegistry, metricsKit } from '@hubbub/runtime';
import { Counter, Histogram } from 'prom-client';

const DURATION_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Every limit of the API, as the counter of refusals names it. */
export const LIMITS = [
  'body_bytes',
  'header_bytes',
  'request_time',
  'requests',
  'key_requests',
  'tails',
  'batch_messages',
] as const;
export type Limit = (typeof LIMITS)[number];

export type ApiMetrics = ReturnType<typeof createApiMetrics>;

export function createApiMetrics(registry: MetricsRegistry, inFlight: () => number) {
  const kit = metricsKit(registry);
  const registers = [registry];
  const requests = new Counter({
    name: 'hubbub_api_requests_total',
    help: 'Requests by route and status. Route `none`: no route matched. Status `aborted`: the connection ended before the answer.',
    labelNames: ['route', 'status'] as const,
    registers,
  });
  const durations = new Histogram({
    name: 'hubbub_api_request_duration_seconds',
    help: 'Time from the headers of a request to the end of its answer.',
    labelNames: ['route'] as const,
    buckets: DURATION_BUCKETS_SECONDS,
    registers,
  });
  kit.gauge('hubbub_api_requests_under_way', 'Requests in flight.', inFlight);
  const limited = kit.counterBy(
    'hubbub_api_limited_total',
    'Requests refused because of a limit. requests: in flight; key_requests: rate of the API key; tails: followed rooms.',
    LIMITS.map(limit => ({ limit })),
  );
  return {
    answered(route: string, status: number | 'aborted', durationMs: number): void {
      requests.inc({ route, status: String(status) });
      durations.observe({ route }, durationMs / 1000);
    },
    published: kit.counterBy(
      'hubbub_api_publishes_total',
      'Messages by target (room, user, session, all) and result: published, repeated (same idempotency key), or an error code.',
      ['room', 'user', 'session', 'all'].map(target => ({ target, result: 'published' })),
    ),
    controlled: kit.counterBy(
      'hubbub_api_controls_total',
      'Controls by action, with the same results as messages.',
      ['close_room', 'remove_user', 'disconnect_user'].map(action => ({ do: action, result: 'published' })),
    ),
    limited: (limit: Limit): void => limited({ limit }),
    malformedRequest: kit.counter(
      'hubbub_api_malformed_requests_total',
      'Connections ended because their data was not HTTP.',
    ),
  };
}
