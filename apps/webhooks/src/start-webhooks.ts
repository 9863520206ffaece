/** Starts the webhooks of the configuration: for each, one consumer of every stream whose events it gets. */
import type { BrokerClient } from '@hubbub/broker';
import { type Config, ConfigError, missingWebhookSecrets } from '@hubbub/config';
import type { Logger, MetricsRegistry } from '@hubbub/runtime';
import type { Consumer } from '@hubbub/server/consumer';
import { deliverClientEvents } from './client-events.js';
import { Delivery } from './delivery.js';
import { deliverLifecycleEvents } from './lifecycle-events.js';
import { createWebhookMetrics, type WebhookMetrics } from './metrics.js';
import { Receiver } from './receiver.js';
import type { StreamParts } from './stream-parts.js';
import { definedWebhooks, type WebhookDefinition } from './webhook-definitions.js';

/** Requests have a deadline of their own; this one covers the time that events wait for a free request. */
const HANDLER_TIMEOUT_MS = 3_600_000;
const ROOMS_IN_PARALLEL_MAX = 1000;

export interface WebhookOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  /** The caller's to close, after the webhooks. */
  readonly brokerClient: BrokerClient;
}

export interface Webhooks {
  /** Streams that some process must read. */
  readonly streams: number;
  /** Those that this process reads now. */
  readonly leading: number;
  /** Waits for the requests in flight, and lets another process take over. */
  close(): Promise<void>;
}

/** @throws {Error} for an address in a URL that is not permitted, or a webhook without secrets */
export function startWebhooks({ config, log, metrics: registry, brokerClient }: WebhookOptions): Webhooks {
  const missing = missingWebhookSecrets(config);
  if (missing.length > 0) throw new ConfigError(missing);
  const definitions = definedWebhooks(config);
  const names = definitions.map(({ name }) => name);
  const metrics = createWebhookMetrics(registry, names, () =>
    running.map(({ name, consumers }) => [{ webhook: name }, leadingOf(consumers)]),
  );
  const running = definitions.map(definition => ({
    name: definition.name,
    ...startWebhook(definition, { config, log, metrics, brokerClient }),
  }));
  const all = () => running.flatMap(({ consumers }) => consumers);
  return {
    streams: all().length,
    get leading() {
      return leadingOf(all());
    },
    async close() {
      await Promise.all(all().map(consumer => consumer.close()));
      await Promise.all(running.map(({ receiver }) => receiver.close()));
    },
  };
}

function leadingOf(consumers: readonly Consumer[]): number {
  return consumers.filter(({ leading }) => leading).length;
}

interface Shared extends Omit<WebhookOptions, 'metrics'> {
  readonly metrics: WebhookMetrics;
}

function startWebhook(definition: WebhookDefinition, { config, log, metrics, brokerClient }: Shared) {
  const { name, group, url, format, namespaces, hasLifecycle } = definition;
  const { webhookMaxBatchEvents: maxEvents, webhookMaxBatchBytes: maxBytes, webhookConcurrency: concurrency } = config;
  const receiver = new Receiver({
    url,
    format,
    allowedNetworks: config.webhookAllowedNetworks,
    concurrency,
    timeoutMs: config.webhookTimeoutMs,
    maxResponseBytes: config.webhookMaxResponseBytes,
    maxRetryAfterMs: config.webhookMaxRetryAfterMs,
    onAnswered: (result, durationMs) => metrics.answered(name, result, durationMs),
    onLongAnswer: () => metrics.limited(name, 'response_bytes'),
  });
  const newStream = (): StreamParts => ({
    webhook: name,
    group,
    format,
    delivery: new Delivery({ webhook: name, receiver, format, concurrency, maxEvents, maxBytes, metrics, log }),
    maxEvents,
    maxBytes,
    consumer: {
      maxAttempts: config.webhookMaxAttempts,
      concurrency: Math.min(ROOMS_IN_PARALLEL_MAX, concurrency * maxEvents),
      retryDelayMs: config.webhookRetryDelayMs,
      handlerTimeoutMs: HANDLER_TIMEOUT_MS,
    },
    metrics,
    log,
  });
  const { events, lifecycle } = brokerClient;
  const consumers = namespaces.map(namespace =>
    deliverClientEvents({ ...newStream(), events, namespace, lingerMs: config.webhookLingerMs }),
  );
  if (hasLifecycle) {
    consumers.push(deliverLifecycleEvents({ ...newStream(), lifecycle, debounceMs: config.webhookDebounceMs }));
  }
  return { consumers, receiver };
}
