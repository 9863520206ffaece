/** Checks of webhooks against the other settings: what would deliver nothing, or unprotected. */
import { isProtectedUrl } from './loopback.js';
import type { Namespaces } from './namespaces.js';
import { isPublishedSecret } from './secret-strength.js';
import type { Settings } from './settings/settings.js';
import type { Webhook, Webhooks } from './webhooks.js';

type RelatedSettings = Pick<Settings, 'webhookSecrets' | 'webhookAllowHttp'> & {
  readonly webhooks: Webhooks;
  readonly namespaces: Namespaces;
};

export function webhookProblems(settings: RelatedSettings, production: boolean): string[] {
  const { webhooks, webhookSecrets, webhookAllowHttp } = settings;
  return Object.entries(webhooks).flatMap(([name, webhook]) => {
    const place = `webhooks.${name}`;
    const secrets = webhook.secrets ?? webhookSecrets;
    const problems = missingSources(place, webhook, settings.namespaces);
    if (!webhookAllowHttp && !isProtectedUrl(webhook.url)) {
      problems.push(
        `${place}.url: expected https, or http on this machine; HUBBUB_WEBHOOK_ALLOW_HTTP=true allows http`,
      );
    }
    if (production && secrets.some(isPublishedSecret)) {
      problems.push(`${place}.secrets: one of them is published with Hubbub; use a secret of your own`);
    }
    return problems;
  });
}

/** Webhooks whose requests nothing can sign. Only the process that sends them checks it: edges read the same file. */
export function missingWebhookSecrets({
  webhooks,
  webhookSecrets,
}: Pick<RelatedSettings, 'webhooks' | 'webhookSecrets'>): string[] {
  return Object.entries(webhooks)
    .filter(([, { secrets = webhookSecrets }]) => secrets.length === 0)
    .map(
      ([name]) =>
        `webhooks.${name}.secrets: required where HUBBUB_WEBHOOK_SECRETS is not set; make one with: echo "whsec_$(openssl rand -base64 32)"`,
    );
}

/** Namespaces that never produce what the webhook asks for. */
function missingSources(
  place: string,
  { events = [], lifecycle = [], ...webhook }: Webhook,
  all: Namespaces,
): string[] {
  const chosen = webhook.namespaces ?? Object.keys(all);
  const some = (has: (name: string) => boolean) => chosen.some(has);
  const problems: string[] = [];
  if (events.length > 0 && !some(name => (all[name]?.events ?? []).length > 0)) {
    problems.push(`${place}.events: no namespace of this webhook accepts client events; set namespaces.<name>.events`);
  }
  const member = lifecycle.find(name => name.startsWith('member_'));
  if (member !== undefined && !some(name => all[name]?.memberEvents === true)) {
    problems.push(`${place}.lifecycle: no namespace of this webhook has memberEvents, which ${member} needs`);
  }
  return problems;
}
