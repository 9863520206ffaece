/** The webhooks of the configuration: where their events come from, and the form that their receivers want. */
import type { Config, PusherWebhookEvent } from '@hubbub/config';
import { APP_NAMESPACES, appNamespace } from '@hubbub/protocol/pusher';
import { pusherFormat } from './pusher-format.js';
import { type WebhookStreams, webhookStreams } from './streams.js';
import { standardFormat, type WebhookFormat } from './webhook-format.js';

/** A webhook of the configuration, whatever its form. */
export interface Definition {
  readonly name: string;
  readonly url: string;
  readonly format: WebhookFormat;
  readonly streams: WebhookStreams;
}

export function definedWebhooks({ webhooks, webhookSecrets, pusherApps, namespaces }: Config): Definition[] {
  const withEvents = (appId: string) =>
    APP_NAMESPACES.map(kind => appNamespace(appId, kind)).filter(name => (namespaces[name]?.events ?? []).length > 0);
  const own = Object.entries(webhooks).map(([name, webhook]) => ({
    name,
    url: webhook.url,
    format: standardFormat(name, webhook, webhook.secrets ?? webhookSecrets),
    streams: webhookStreams(webhook, namespaces),
  }));
  const ofApps = pusherApps.flatMap(app =>
    app.webhooks.map((webhook, index) => ({
      name: `pusher-${app.id}-${index + 1}`,
      url: webhook.url,
      format: pusherFormat(app, webhook),
      streams: {
        namespaces: webhook.events.some(isClientEvent) ? withEvents(app.id) : [],
        hasLifecycle: !webhook.events.every(isClientEvent),
      },
    })),
  );
  return [...own, ...ofApps];
}

function isClientEvent(event: PusherWebhookEvent): boolean {
  return event === 'client_event' || event === 'cache_miss';
}
