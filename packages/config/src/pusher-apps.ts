/** Apps of the Pusher protocol, which only the configuration file holds, and the namespaces that their channels are in. */
import {
  APP_NAMESPACES,
  type AppNamespace,
  appNamespace,
  CHANNEL_NAMESPACES,
  EVENT_FRAME,
} from '@hubbub/protocol/pusher';
import { z } from 'zod';
import { type Namespaces, namespacesSchema } from './namespaces.js';
import { isReceiverUrl, type Webhooks } from './webhooks.js';

const ID_EXPECTED = 'expected an id: 1 to 32 letters, digits, _ -';
const KEY_EXPECTED = 'expected a key: 1 to 64 letters, digits, _ -';
const SECRET_EXPECTED = 'expected a secret of 1 to 128 visible ASCII characters';
const FLAG_EXPECTED = 'expected true or false';
const URL_EXPECTED = 'expected a URL like https://example.com/pusher/webhook, without user, password and fragment';

/** Pusher's own names. */
export const PUSHER_WEBHOOK_EVENTS = [
  'channel_occupied',
  'channel_vacated',
  'member_added',
  'member_removed',
  'client_event',
  'cache_miss',
] as const;
export type PusherWebhookEvent = (typeof PUSHER_WEBHOOK_EVENTS)[number];

const WEBHOOK_EVENTS_EXPECTED = `expected a list of ${PUSHER_WEBHOOK_EVENTS.join(', ')}`;

function wholeNumber(min: number, max: number) {
  const error = `expected a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

const appWebhook = z.strictObject({
  url: z.string({ error: URL_EXPECTED }).refine(isReceiverUrl, { error: URL_EXPECTED }),
  events: z
    .array(z.enum(PUSHER_WEBHOOK_EVENTS, { error: WEBHOOK_EVENTS_EXPECTED }), { error: WEBHOOK_EVENTS_EXPECTED })
    .min(1, { error: WEBHOOK_EVENTS_EXPECTED }),
});
export type PusherWebhook = Readonly<z.infer<typeof appWebhook>>;

/** Every setting of an app. */
export const pusherAppFields = z.strictObject({
  id: z
    .string({ error: ID_EXPECTED })
    .regex(/^[A-Za-z0-9_-]{1,32}$/, { error: ID_EXPECTED })
    .describe('Id of the app in the paths of its HTTP API, and in the names of its rooms.'),
  key: z
    .string({ error: KEY_EXPECTED })
    .regex(/^[A-Za-z0-9_-]{1,64}$/, { error: KEY_EXPECTED })
    .describe('Key of the app, which is public: clients connect with it.'),
  secret: z
    .string({ error: SECRET_EXPECTED })
    .regex(/^[\x21-\x7e]{1,128}$/, { error: SECRET_EXPECTED })
    .describe('Secret of the app: it signs subscriptions, requests of back ends, and webhooks.'),
  clientEvents: z
    .boolean({ error: FLAG_EXPECTED })
    .default(false)
    .describe('Lets clients publish `client-` events to private and presence channels.'),
  clientEventsPerSecond: wholeNumber(1, 1000)
    .default(10)
    .describe('Maximum client events of a connection per second; further ones get the error 4301.'),
  leaveGraceMs: wholeNumber(0, 600_000)
    .default(3000)
    .describe('Time that a member stays in a presence channel, and a user online, after the connection ended.'),
  watchlists: z
    .boolean({ error: FLAG_EXPECTED })
    .default(false)
    .describe('Notifies users that sign in when the users of their `watchlist` come online and go offline.'),
  cacheTtlMs: wholeNumber(1000, 86_400_000)
    .default(1_800_000)
    .describe('Time for which a cache channel keeps its last event.'),
  webhooks: z
    .array(appWebhook, { error: 'expected a list of objects with url and events' })
    .default([])
    .describe("Receivers of webhooks in Pusher's format, each with its `url` and `events`."),
});

/** An app of the Pusher protocol. */
export type PusherApp = Readonly<z.infer<typeof pusherAppFields>>;

export const pusherAppsSchema = z
  .preprocess(
    apps => apps ?? [],
    z
      .array(pusherAppFields, { error: 'expected a list of apps, each with id, key and secret' })
      .refine(apps => areUnique(apps.map(({ id }) => id)), { error: 'expected a different id for each app' })
      .refine(apps => areUnique(apps.map(({ key }) => key)), { error: 'expected a different key for each app' }),
  )
  .default([]);

function areUnique(texts: readonly string[]): boolean {
  return new Set(texts).size === texts.length;
}

/** The namespaces of the apps' channels, by name. */
export function appNamespaces(apps: readonly PusherApp[]): Namespaces {
  const fields = apps.flatMap(app =>
    APP_NAMESPACES.filter(kind => kind !== '.online' || app.watchlists).map(
      kind => [appNamespace(app.id, kind), namespaceOfApp(app, kind)] as const,
    ),
  );
  return namespacesSchema.parse(Object.fromEntries(fields));
}

function namespaceOfApp({ leaveGraceMs, cacheTtlMs, webhooks }: PusherApp, kind: AppNamespace) {
  const isPresence = kind.startsWith('.presence');
  const hasRoster = isPresence || kind === '.online';
  const isCache = kind.endsWith('cache');
  const sends = (event: PusherWebhookEvent): boolean => webhooks.some(({ events }) => events.includes(event));
  return {
    presence: kind === '.user' ? 'off' : hasRoster ? 'on' : 'counts',
    leaveGraceMs: hasRoster ? leaveGraceMs : 0,
    memberEvents: isPresence && (sends('member_added') || sends('member_removed')),
    events: (sends('client_event') && isOfChannels(kind)) || (sends('cache_miss') && isCache) ? [EVENT_FRAME] : [],
    ...(isCache && { historySize: 1, historyTtlMs: cacheTtlMs }),
  };
}

function isOfChannels(kind: AppNamespace): boolean {
  return (CHANNEL_NAMESPACES as readonly string[]).includes(kind);
}

/** Whether the configuration has a webhook, of Hubbub's form or of Pusher's. */
export function hasWebhooks({
  webhooks,
  pusherApps,
}: {
  readonly webhooks: Webhooks;
  readonly pusherApps: readonly PusherApp[];
}): boolean {
  return Object.keys(webhooks).length > 0 || pusherApps.some(app => app.webhooks.length > 0);
}
