/** The form in which a receiver gets events: Hubbub's own, signed as Standard Webhooks. */
import type { EventEntry, LifecycleEntry } from '@hubbub/broker';
import { matchesEvent, type Webhook } from '@hubbub/config';
import { namespaceOf } from '@hubbub/protocol';
import { signWebhook } from '@hubbub/server';
import type { EncodedEvent } from './combiner.js';
import { deliveryBody, encodeClientEvent, encodeLifecycleEvent } from './encoded-events.js';

export interface WebhookFormat {
  /** `undefined`: the receiver does not get it. */
  clientEvent(namespace: string, entry: EventEntry): EncodedEvent | undefined;
  /** `undefined`: the receiver does not get it. */
  lifecycleEvent(entry: LifecycleEntry): EncodedEvent | undefined;
  bodyOf(events: readonly EncodedEvent[]): string;
  /** @param id of the request, the same in each attempt */
  headersOf(id: string, body: string): Readonly<Record<string, string>>;
}

/** @param secrets each signs every request */
export function standardFormat(name: string, webhook: Webhook, secrets: readonly string[]): WebhookFormat {
  const { events = [], lifecycle = [], namespaces } = webhook;
  const isSelected = ({ event }: LifecycleEntry): boolean => {
    // Any event that a webhook gets may be missing.
    if (event.event === 'lifecycle_gap') return true;
    if (!lifecycle.includes('*') && !lifecycle.includes(event.event)) return false;
    return namespaces === undefined || !('room' in event) || namespaces.includes(namespaceOf(event.room));
  };
  return {
    clientEvent: (namespace, entry) =>
      matchesEvent(events, entry.event.type) ? encodeClientEvent(namespace, entry) : undefined,
    lifecycleEvent: entry => (isSelected(entry) ? encodeLifecycleEvent(entry) : undefined),
    bodyOf: encoded => deliveryBody(name, encoded),
    headersOf: (id, body) => ({ ...signWebhook(id, body, secrets, Date.now()) }),
  };
}
