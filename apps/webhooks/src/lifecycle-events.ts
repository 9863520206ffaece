/** Delivers lifecycle events to one webhook: at least once, those of a room and of a user in order. */
import type { LifecycleEntry, LifecycleLog } from '@hubbub/broker';
import { type Consumer, type ConsumerOptions, consume, lifecycleLane } from '@hubbub/server/consumer';
import { debounce } from './debounce.js';
import { verdictOf } from './delivery-failure.js';
import type { StreamParts } from './stream-parts.js';

export interface LifecycleParts extends StreamParts {
  readonly lifecycle: LifecycleLog;
  readonly debounceMs: number;
}

export function deliverLifecycleEvents(parts: LifecycleParts): Consumer {
  const { webhook, group, delivery, format, metrics, log, debounceMs, maxEvents, maxBytes } = parts;
  const options: ConsumerOptions<LifecycleEntry> = {
    ...parts.consumer,
    onDeadLetter({ entryId: entry, attempt }, error) {
      metrics.events(webhook, 'dead_lettered');
      const reason = error instanceof Error ? error.message : String(error);
      log.error(
        { event: 'webhook_dead_letter', webhook, entry, attempt, reason },
        'a lifecycle event became a dead letter of a webhook',
      );
    },
  };
  return consume<LifecycleEntry>(
    {
      source: parts.lifecycle.group(group),
      laneOf: lifecycleLane,
      async handle(entries, signal) {
        const changes = debounce(entries, debounceMs);
        const selected = changes.flatMap(entry => {
          const encoded = format.lifecycleEvent(entry);
          return encoded === undefined ? [] : [{ encoded, attempt: entry.attempt }];
        });
        if (entries.some(isNewGap)) {
          metrics.limited(webhook, 'kept_events');
          log.warn({ event: 'webhook_gap', webhook }, 'lifecycle events were missed');
        }
        if (selected.length > 0) {
          const isAlone = selected.some(({ attempt }) => attempt > 1);
          const encoded = selected.map(one => one.encoded);
          await delivery.deliver(encoded, { isAlone, signal });
        }
        // Not before: a delivery that fails is repeated with all its entries.
        metrics.events(webhook, 'debounced', entries.length - changes.length);
        metrics.events(webhook, 'filtered', changes.length - selected.length);
      },
      verdictOf,
      batches: {
        maxEntries: maxEvents,
        maxBytes,
        bytesOf: entry => format.lifecycleEvent(entry)?.bytes ?? 0,
        lingerMs: debounceMs,
      },
    },
    options,
  );
}

function isNewGap({ event, attempt }: LifecycleEntry): boolean {
  return attempt === 1 && event.event === 'lifecycle_gap' && event.reason === 'missed';
}
