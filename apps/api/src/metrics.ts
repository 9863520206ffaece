/** The metrics of the API: one function for each event. Labels name routes, never rooms or users. */
import type { MetricsRegistry } from '@hubbub/runtime';
import { Counter, Gauge, Histogram } from 'prom-client';

const DURATION_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Every limit of the API, as the counter of refusals names it. */
export const LIMITS = ['body_bytes', 'header_bytes', 'request_time', 'requests', 'batch_messages'] as const;
export type Limit = (typeof LIMITS)[number];

export type ApiMetrics = ReturnType<typeof createApiMetrics>;

export function createApiMetrics(registry: MetricsRegistry, underWay: () => number) {
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
  const publishes = new Counter({
    name: 'hubbub_api_publishes_total',
    help: 'Messages by target (room, user, all) and result: published, repeated (same idempotency key), or an error code.',
    labelNames: ['target', 'result'] as const,
    registers,
  });
  const controls = new Counter({
    name: 'hubbub_api_controls_total',
    help: 'Controls by action, with the same results as messages.',
    labelNames: ['do', 'result'] as const,
    registers,
  });
  const limited = new Counter({
    name: 'hubbub_api_limited_total',
    help: 'Requests refused because of a limit: body_bytes, header_bytes, request_time, requests (in flight), batch_messages.',
    labelNames: ['limit'] as const,
    registers,
  });
  // Counted from 0, so that the first one is a rise that can be seen.
  for (const target of ['room', 'user', 'all']) publishes.inc({ target, result: 'published' }, 0);
  for (const control of ['close_room', 'remove_user', 'disconnect_user'])
    controls.inc({ do: control, result: 'published' }, 0);
  for (const limit of LIMITS) limited.inc({ limit }, 0);
  const malformed = new Counter({
    name: 'hubbub_api_malformed_requests_total',
    help: 'Connections ended because their data was not HTTP.',
    registers,
  });
  new Gauge({
    name: 'hubbub_api_requests_under_way',
    help: 'Requests in flight.',
    registers,
    collect() {
      this.set(underWay());
    },
  });
  return {
    answered(route: string, status: number | 'aborted', durationMs: number): void {
      requests.inc({ route, status: String(status) });
      durations.observe({ route }, durationMs / 1000);
    },
    published(target: string, result: string): void {
      publishes.inc({ target, result });
    },
    controlled(control: string, result: string): void {
      controls.inc({ do: control, result });
    },
    limited(limit: Limit): void {
      limited.inc({ limit });
    },
    malformedRequest(): void {
      malformed.inc();
    },
  };
}
