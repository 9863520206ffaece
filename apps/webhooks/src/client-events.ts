/** Delivers the client events of one namespace to one webhook: at least once, those of a room in order. */
import type { EventEntry, EventLog } from '@hubbub/broker';
import { matchesEvent } from '@hubbub/config';
import { type Consumer, type ConsumerOptions, consume, eventLane } from '@hubbub/server/consumer';
import { verdictOf } from './delivery-failure.js';
import { encodeClientEvent } from './encoded-events.js';
import type { StreamParts } from './stream-parts.js';

export interface ClientEventParts extends StreamParts {
  readonly events: EventLog;
  readonly namespace: string;
  /** Types that the webhook gets. */
  readonly patterns: readonly string[];
  readonly lingerMs: number;
}

export function deliverClientEvents(parts: ClientEventParts): Consumer {
  const { webhook, group, delivery, metrics, log, namespace, patterns, lingerMs, maxEvents, maxBytes } = parts;
  const options: ConsumerOptions<EventEntry> = {
    ...parts.consumer,
    onDeadLetter(entry, error) {
      metrics.events(webhook, 'dead_lettered');
      const reason = error instanceof Error ? error.message : String(error);
      log.error(
        { event: 'webhook_dead_letter', webhook, namespace, entry: entry.entryId, attempt: entry.attempt, reason },
        'a client event became a dead letter of a webhook',
      );
    },
  };
  return consume<EventEntry>(
    {
      source: parts.events.group(namespace, group),
      laneOf: eventLane,
      async handle(entries, signal) {
        const selected = entries.filter(({ event }) => matchesEvent(patterns, event.type));
        metrics.events(webhook, 'filtered', entries.length - selected.length);
        if (selected.length === 0) return;
        const isAlone = selected.some(({ attempt }) => attempt > 1);
        await delivery.deliver(
          selected.map(entry => encodeClientEvent(namespace, entry)),
          { isAlone, signal },
        );
      },
      verdictOf,
      batches: {
        maxEntries: maxEvents,
        maxBytes,
        bytesOf: entry => encodeClientEvent(namespace, entry).bytes,
        lingerMs,
      },
    },
    options,
  );
}
