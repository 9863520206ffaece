/** The metrics of webhooks: one function for each event. Labels name webhooks and namespaces, never rooms or users. */
import { type LabeledValue, type MetricsRegistry, metricsKit } from '@hubbub/runtime';
import { Counter, Histogram } from 'prom-client';
import { REQUEST_RESULTS, type RequestResult } from './delivery-failure.js';

const DURATION_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const BATCH_BUCKETS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

export const EVENT_RESULTS = ['delivered', 'dead_lettered', 'filtered', 'debounced'] as const;
export type EventResult = (typeof EVENT_RESULTS)[number];

/** Limits of requests, as the counter names them. */
const LIMITS = ['response_bytes', 'batch_bytes', 'kept_events'] as const;

export type WebhookMetrics = ReturnType<typeof createWebhookMetrics>;

/** @param webhooks their names @param leading streams that this process reads, by webhook */
export function createWebhookMetrics(
  registry: MetricsRegistry,
  webhooks: readonly string[],
  leading: () => readonly LabeledValue<'webhook'>[],
) {
  const kit = metricsKit(registry);
  const registers = [registry];
  const perWebhook = <Value extends string, Name extends string>(name: Name, values: readonly Value[]) =>
    webhooks.flatMap(webhook => values.map(value => ({ webhook, [name]: value }) as Record<'webhook' | Name, string>));
  const requests = counterOf('hubbub_webhooks_requests_total', 'result', {
    help: 'Requests by result. delivered: 2xx. rejected: 400, 413, 422. failed: another status. canceled: the lease was lost.',
    initial: perWebhook('result', REQUEST_RESULTS),
  });
  const events = counterOf('hubbub_webhooks_events_total', 'result', {
    help: 'Events by result. dead_lettered: given up. filtered: of other types. debounced: undone.',
    initial: perWebhook('result', EVENT_RESULTS),
  });
  const limited = counterOf('hubbub_webhooks_limited_total', 'limit', {
    help: 'Effects of limits. response_bytes: a long answer was cut off. batch_bytes: one event was larger. kept_events: a gap.',
    initial: perWebhook('limit', LIMITS),
  });
  const durations = new Histogram({
    name: 'hubbub_webhooks_request_duration_seconds',
    help: 'Time from the begin of a request to its answer or failure.',
    labelNames: ['webhook'] as const,
    buckets: DURATION_BUCKETS_SECONDS,
    registers,
  });
  const sizes = new Histogram({
    name: 'hubbub_webhooks_request_events',
    help: 'Events in one request.',
    labelNames: ['webhook'] as const,
    buckets: BATCH_BUCKETS,
    registers,
  });
  for (const webhook of webhooks) {
    durations.zero({ webhook });
    sizes.zero({ webhook });
  }
  kit.gaugeBy(
    'hubbub_webhooks_leading',
    'Streams that this process reads for a webhook; other processes stand by for them.',
    ['webhook'],
    leading,
  );
  function counterOf<Name extends string>(
    name: string,
    label: Name,
    { help, initial }: { help: string; initial: readonly Record<'webhook' | Name, string>[] },
  ): (webhook: string, value: string, count?: number) => void {
    const counter = new Counter({ name, help, labelNames: ['webhook', label], registers });
    for (const labels of initial) counter.inc(labels, 0);
    return (webhook, value, count = 1) =>
      counter.inc({ webhook, [label]: value } as Record<'webhook' | Name, string>, count);
  }

  return {
    answered(webhook: string, result: RequestResult, durationMs: number): void {
      requests(webhook, result);
      durations.observe({ webhook }, durationMs / 1000);
    },
    requested: (webhook: string, count: number): void => sizes.observe({ webhook }, count),
    events: (webhook: string, result: EventResult, count = 1): void => events(webhook, result, count),
    limited: (webhook: string, limit: (typeof LIMITS)[number]): void => limited(webhook, limit),
  };
}
