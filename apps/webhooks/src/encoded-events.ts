/** Events as receivers get them (docs/webhooks.md), and the request that carries several. */
import { createHash } from 'node:crypto';
import type { EventEntry, LifecycleEntry } from '@hubbub/broker';
import { type ClientEvent, toJsonText } from '@hubbub/protocol';
import type { WebhookEvent } from '@hubbub/server';
import type { EncodedEvent } from './combiner.js';

/** The same event of a retry is not encoded again. */
const encoded = new WeakMap<ClientEvent, EncodedEvent>();

export function encodeClientEvent(namespace: string, { entryId, event }: EventEntry): EncodedEvent {
  const known = encoded.get(event);
  if (known !== undefined) return known;
  const { type, room, payload, user, session, rooms, id: frameId, atMs, traceparent } = event;
  const result = encode({
    id: `${namespace}/${entryId}`,
    kind: 'client_event',
    type,
    namespace,
    ...(room !== undefined && { room }),
    payload,
    user: { id: user.id, name: user.name },
    session: { id: session.id, node: session.node },
    rooms,
    frame_id: frameId,
    timestamp: new Date(atMs).toISOString(),
    ...(traceparent !== undefined && { traceparent }),
  });
  encoded.set(event, result);
  return result;
}

export function encodeLifecycleEvent({ entryId, event: { event, atMs, ...subject } }: LifecycleEntry): EncodedEvent {
  const timestamp = new Date(atMs).toISOString();
  return encode({ id: `lifecycle/${entryId}`, kind: 'lifecycle', type: event, ...subject, timestamp });
}

/** The body of a request. Its parts are JSON already. */
export function deliveryBody(webhook: string, events: readonly EncodedEvent[]): string {
  return `{"webhook":${JSON.stringify(webhook)},"events":[${events.map(({ json }) => json).join(',')}]}`;
}

/** The same for the same events, in every attempt of every process. */
export function deliveryId(webhook: string, events: readonly EncodedEvent[]): string {
  const hash = createHash('sha256').update(webhook);
  for (const { id } of events) hash.update(`\n${id}`);
  return `msg_${hash.digest('base64url').slice(0, 32)}`;
}

function encode(event: WebhookEvent): EncodedEvent {
  const json = toJsonText(event);
  return { id: event.id, json, bytes: Buffer.byteLength(json) };
}
