/** The parts that the delivery of every stream to a webhook uses. */
import type { Logger } from '@hubbub/runtime';
import type { ConsumerOptions } from '@hubbub/server/consumer';
import type { Delivery } from './delivery.js';
import type { WebhookMetrics } from './metrics.js';
import type { WebhookFormat } from './webhook-format.js';

export interface StreamParts {
  /** The name of the webhook. */
  readonly webhook: string;
  /** The consumer group of the webhook. */
  readonly group: string;
  readonly delivery: Delivery;
  readonly format: WebhookFormat;
  readonly maxEvents: number;
  readonly maxBytes: number;
  readonly consumer: Pick<
    ConsumerOptions,
    'maxAttempts' | 'concurrency' | 'retryDelayMs' | 'handlerTimeoutMs' | 'onError'
  >;
  readonly metrics: WebhookMetrics;
  readonly log: Logger;
}
