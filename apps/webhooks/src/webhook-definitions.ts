/** The webhooks of the configuration: where their events come from, and the form that their receivers want. */
import type { Config, PusherApp, PusherWebhook, PusherWebhookEvent, Webhook } from '@hubbub/config';
import { appNamespace, CHANNEL_NAMESPACES } from '@hubbub/protocol/pusher';
import { pusherFormat } from './pusher-format.js';
import { standardFormat, type WebhookFormat } from './webhook-format.js';

/** A webhook of the configuration, whatever its form. */
export interface WebhookDefinition {
  readonly name: string;
  /** The consumer group that reads its streams. */
  readonly group: string;
  readonly url: string;
  readonly format: WebhookFormat;
  /** Namespaces whose client events it gets. */
  readonly namespaces: readonly string[];
  readonly hasLifecycle: boolean;
}

export function definedWebhooks(config: Config): readonly WebhookDefinition[] {
  return [
    ...Object.entries(config.webhooks).map(([name, webhook]) => standardWebhook(name, webhook, config)),
    ...config.pusherApps.flatMap(app => app.webhooks.map((webhook, at) => pusherWebhook(app, webhook, at + 1, config))),
  ];
}

function standardWebhook(name: string, webhook: Webhook, config: Config): WebhookDefinition {
  const { url, secrets = config.webhookSecrets, events = [], lifecycle = [] } = webhook;
  const { namespaces = Object.keys(config.namespaces) } = webhook;
  return {
    name,
    group: groupOf(name),
    url,
    format: standardFormat(name, webhook, secrets),
    namespaces: events.length === 0 ? [] : withClientEvents(namespaces, config),
    hasLifecycle: lifecycle.length > 0,
  };
}

function pusherWebhook(app: PusherApp, webhook: PusherWebhook, number: number, config: Config): WebhookDefinition {
  // Names of other webhooks have no full stop: none of them can get the group of this one.
  const name = `pusher.${app.id}.${number}`;
  const namespaces = CHANNEL_NAMESPACES.map(kind => appNamespace(app.id, kind));
  return {
    name,
    group: groupOf(name),
    url: webhook.url,
    format: pusherFormat(app, webhook),
    namespaces: webhook.events.some(isClientEvent) ? withClientEvents(namespaces, config) : [],
    hasLifecycle: !webhook.events.every(isClientEvent),
  };
}

function groupOf(name: string): string {
  return `webhook.${name}`;
}

function withClientEvents(names: readonly string[], { namespaces }: Config): readonly string[] {
  return names.filter(name => (namespaces[name]?.events ?? []).length > 0);
}

function isClientEvent(event: PusherWebhookEvent): boolean {
  return event === 'client_event' || event === 'cache_miss';
}
