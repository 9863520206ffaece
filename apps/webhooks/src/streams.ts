/** Which streams a webhook reads, and as which group. */
import type { Config, Webhook } from '@hubbub/config';

export interface WebhookStreams {
  /** Namespaces whose client events it gets. */
  readonly namespaces: readonly string[];
  readonly hasLifecycle: boolean;
}

/** @param name of the webhook */
export function webhookGroup(name: string): string {
  return `webhook.${name}`;
}

export function webhookStreams(
  { events = [], lifecycle = [], namespaces }: Webhook,
  all: Config['namespaces'],
): WebhookStreams {
  const hasEvents = (namespace: string) => (all[namespace]?.events ?? []).length > 0;
  return {
    namespaces: events.length === 0 ? [] : (namespaces ?? Object.keys(all)).filter(hasEvents),
    hasLifecycle: lifecycle.length > 0,
  };
}
