/** Delivers the events of one stream to the receiver of one webhook: combines, sends, counts and logs. */
import { type Logger, occasionally } from '@hubbub/runtime';
import { Combiner, type EncodedEvent } from './combiner.js';
import { DeliveryFailure } from './delivery-failure.js';
import { deliveryId } from './encoded-events.js';
import type { WebhookMetrics } from './metrics.js';
import type { Receiver } from './receiver.js';
import type { WebhookFormat } from './webhook-format.js';

const FAILURE_LOG_INTERVAL_MS = 5000;

export interface DeliveryParts {
  /** The name of the webhook. */
  readonly webhook: string;
  readonly receiver: Receiver;
  readonly format: Pick<WebhookFormat, 'bodyOf'>;
  readonly concurrency: number;
  readonly maxEvents: number;
  readonly maxBytes: number;
  readonly metrics: WebhookMetrics;
  readonly log: Logger;
}

export class Delivery {
  readonly #parts: DeliveryParts;
  readonly #combiner: Combiner;
  readonly #logFailure: (failure: DeliveryFailure, events: number) => void;

  constructor(parts: DeliveryParts) {
    const { webhook, concurrency, maxEvents, maxBytes, log } = parts;
    this.#parts = parts;
    this.#combiner = new Combiner({
      ...{ concurrency, maxEvents, maxBytes },
      send: (events, signal) => this.#send(events, signal),
    });
    this.#logFailure = occasionally(FAILURE_LOG_INTERVAL_MS, (suppressed, { result, message: reason }, events) =>
      log.warn({ event: 'webhook_failed', webhook, result, reason, events, suppressed }, `a webhook failed: ${reason}`),
    );
  }

  /**
   * Resolves when the receiver has accepted the events.
   * @throws {DeliveryFailure}
   */
  async deliver(events: readonly EncodedEvent[], options: { isAlone: boolean; signal: AbortSignal }): Promise<void> {
    await this.#combiner.send(events, options);
    this.#parts.metrics.events(this.#parts.webhook, 'delivered', events.length);
  }

  async #send(events: readonly EncodedEvent[], signal: AbortSignal): Promise<void> {
    const { webhook, receiver, format, metrics, maxBytes } = this.#parts;
    const [first] = events;
    if (events.length === 1 && first !== undefined && first.bytes > maxBytes) metrics.limited(webhook, 'batch_bytes');
    metrics.requested(webhook, events.length);
    try {
      await receiver.send(deliveryId(webhook, events), format.bodyOf(events), signal);
    } catch (error) {
      if (error instanceof DeliveryFailure && error.result !== 'canceled') this.#logFailure(error, events.length);
      throw error;
    }
  }
}
