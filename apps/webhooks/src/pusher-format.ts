/** Webhooks as back ends of Pusher expect them: its names of events, its body, and its signature. */
import type { PusherApp, PusherWebhook, PusherWebhookEvent } from '@hubbub/config';
import { namespaceOf } from '@hubbub/protocol';
import { appNamespace, CACHE_MISS, CHANNEL_NAMESPACES, channelOfRoom } from '@hubbub/protocol/pusher';
import { hmacSha256Hex } from '@hubbub/runtime';
import type { EncodedEvent } from './combiner.js';
import type { WebhookFormat } from './webhook-format.js';

const LIFECYCLE: Readonly<Record<string, PusherWebhookEvent>> = {
  room_occupied: 'channel_occupied',
  room_vacated: 'channel_vacated',
  member_joined: 'member_added',
  member_left: 'member_removed',
};

export function pusherFormat({ id, key, secret }: PusherApp, { events }: PusherWebhook): WebhookFormat {
  const namespaces: ReadonlySet<string> = new Set(CHANNEL_NAMESPACES.map(kind => appNamespace(id, kind)));
  return {
    clientEvent: (namespace, { entryId, event }) => {
      const { room, payload, session } = event;
      if (room === undefined) return undefined;
      const channel = channelOfRoom(room);
      const name = payload.event === CACHE_MISS ? 'cache_miss' : 'client_event';
      if (!events.includes(name)) return undefined;
      const content =
        name === 'cache_miss'
          ? { name, channel }
          : {
              name,
              channel,
              event: payload.event,
              data: textOf(payload.data),
              socket_id: session.id,
              user_id: payload.user_id,
            };
      return encoded(`${namespace}/${entryId}`, content);
    },
    lifecycleEvent: ({ entryId, event }) => {
      const name = LIFECYCLE[event.event];
      if (name === undefined || !events.includes(name) || !('room' in event)) return undefined;
      if (!namespaces.has(namespaceOf(event.room))) return undefined;
      const member = 'user' in event ? { user_id: event.user } : {};
      return encoded(`lifecycle/${entryId}`, { name, channel: channelOfRoom(event.room), ...member });
    },
    bodyOf: list => `{"time_ms":${Date.now()},"events":[${list.map(({ json }) => json).join(',')}]}`,
    headersOf: (_id, body) => ({ 'x-pusher-key': key, 'x-pusher-signature': hmacSha256Hex(secret, body) }),
  };
}

function encoded(id: string, content: object): EncodedEvent {
  const json = JSON.stringify(content);
  return { id, json, bytes: Buffer.byteLength(json) };
}

function textOf(data: unknown): string {
  return typeof data === 'string' ? data : JSON.stringify(data ?? null);
}
