/** Delivers the client events of one namespace to one webhook: at least once, those of a room in order. */
import type { EventEntry, EventLog } from '@hubbub/broker';
import { type Consumer, type ConsumerOptions, consume, eventLane } from '@hubbub/server/consumer';
import { verdictOf } from './delivery-failure.js';
import type { StreamParts } from './stream-parts.js';

export interface ClientEventParts extends StreamParts {
  readonly events: EventLog;
  readonly namespace: string;
  readonly lingerMs: number;
}

export function deliverClientEvents(parts: ClientEventParts): Consumer {
  const { webhook, group, delivery, format, metrics, log, namespace, lingerMs, maxEvents, maxBytes } = parts;
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
        const selected = entries.flatMap(entry => {
          const encoded = format.clientEvent(namespace, entry);
          return encoded === undefined ? [] : [{ encoded, attempt: entry.attempt }];
        });
        metrics.events(webhook, 'filtered', entries.length - selected.length);
        if (selected.length === 0) return;
        const isAlone = selected.some(({ attempt }) => attempt > 1);
        const encoded = selected.map(one => one.encoded);
        await delivery.deliver(encoded, { isAlone, signal });
      },
      verdictOf,
      batches: {
        maxEntries: maxEvents,
        maxBytes,
        bytesOf: entry => format.clientEvent(namespace, entry)?.bytes ?? 0,
        lingerMs,
      },
    },
    options,
  );
}
