/** Webhooks, which only the configuration file holds: the receivers, and the events that each of them gets. */
import { isNamespace, LIFECYCLE_EVENTS } from '@hubbub/protocol';
import { z } from 'zod';
import { isEventPattern } from './namespaces.js';
import { hasCredentials } from './settings/fields.js';
import { isWebhookSecret, WEBHOOK_SECRETS } from './settings/webhooks.js';

/** Behind `webhook.`, it names the consumer group of the webhook, of at most 64 bytes. */
const NAME = /^[A-Za-z0-9_-]{1,48}$/;

const NAME_EXPECTED = 'expected a name: 1 to 48 letters, digits, _ -';
const URL_EXPECTED = 'expected a URL like https://example.com/hubbub, without user, password and fragment';
const NAMESPACES_EXPECTED = 'expected a list of namespaces such as game';
const EVENTS_EXPECTED = 'expected a list of types such as vote_submitted, order.*, or *';
const LIFECYCLE_EXPECTED = `expected a list of names such as ${LIFECYCLE_EVENTS[2]}, or *`;
const SECRETS_EXPECTED = `expected a list of ${WEBHOOK_SECRETS}`;

function listOf(expected: string, isItem: (item: string) => boolean) {
  return z.preprocess(
    value => value ?? undefined,
    z.array(z.string({ error: expected }).refine(isItem, { error: expected }), { error: expected }).optional(),
  );
}

/** Every setting of a webhook, before the check of their relations. */
export const webhookFields = z.strictObject({
  url: z
    .string({ error: URL_EXPECTED })
    .refine(isReceiverUrl, { error: URL_EXPECTED })
    .describe('Receiver of the requests: https, or http on this machine.'),
  secrets: listOf(SECRETS_EXPECTED, isWebhookSecret).describe(
    'Secrets that sign the requests, instead of webhookSecrets. Each signs every request.',
  ),
  namespaces: listOf(NAMESPACES_EXPECTED, isNamespace).describe(
    'Namespaces whose events it gets. Unset: all. Events of users have no namespace.',
  ),
  events: listOf(EVENTS_EXPECTED, isEventPattern).describe(
    'Types of client events that it gets: names, prefixes that end in `*`, or `*` for all. Unset: none.',
  ),
  lifecycle: listOf(
    LIFECYCLE_EXPECTED,
    name => name === '*' || LIFECYCLE_EVENTS.some(event => event === name),
  ).describe('Lifecycle events that it gets, or `*` for all. Unset: none.'),
});

const webhookSchema = webhookFields.refine(
  ({ events = [], lifecycle = [] }) => events.length > 0 || lifecycle.length > 0,
  { error: 'expected at least one type, or lifecycle events', path: ['events'] },
);

/** A receiver, and what it gets. */
export type Webhook = Readonly<z.infer<typeof webhookSchema>>;
export type Webhooks = Readonly<Record<string, Webhook>>;

export const webhooksSchema = z
  .preprocess(
    webhooks => webhooks ?? {},
    z.record(z.string().regex(NAME), webhookSchema, {
      error: ({ code }) => (code === 'invalid_key' ? NAME_EXPECTED : 'expected an object from name to webhook'),
    }),
  )
  .default({});

/** Whether a webhook may have this URL. */
export function isReceiverUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hash } = new URL(text);
  return (protocol === 'https:' || protocol === 'http:') && hash === '' && !hasCredentials(text);
}
