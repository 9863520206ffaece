/** Apps of the Pusher protocol in the configuration file: the namespaces of their channels, and their problems. */
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../src/index.js';
import { problemsOf, withFile } from './support/settings.js';

const SECRET = '0f3a95b2c8d7e6041b5f';
const RIGHT = `id: shop, key: a1b2c3, secret: ${SECRET}`;

const withApps = (apps: readonly string[], rest = '') =>
  withFile(`pusherApps: [${apps.map(fields => `{ ${fields} }`).join(', ')}]\n${rest}`);
const withWebhook = (events: string) =>
  withApps([`${RIGHT}, webhooks: [{ url: https://shop.example, events: ${events} }]`]);

describe('the namespaces of an app', () => {
  test('have presence, grace and history by the kind of their channels, and are not public', () => {
    const { namespaces } = loadConfig(withApps([`${RIGHT}, leaveGraceMs: 70, cacheTtlMs: 5000`]));
    const facts = Object.entries(namespaces).map(([name, settings]) => {
      const { presence, leaveGraceMs, historySize, historyTtlMs } = settings;
      return [name, presence, leaveGraceMs, historySize === 0 ? undefined : [historySize, historyTtlMs]];
    });
    expect(facts).toEqual([
      ['pusher-shop', 'counts', 0, undefined],
      ['pusher-shop.presence', 'on', 70, undefined],
      ['pusher-shop.cache', 'counts', 0, [1, 5000]],
      ['pusher-shop.presence-cache', 'on', 70, [1, 5000]],
      ['pusher-shop.user', 'off', 0, undefined],
    ]);
    for (const namespace of Object.values(namespaces)) {
      expect(namespace).toMatchObject({ public: false, anonymousRights: [], events: [], memberEvents: false });
    }
  });

  test('have one more with watchlists: of users that are online, whom no webhook gets', () => {
    const { namespaces } = loadConfig(
      withApps([
        `${RIGHT}, leaveGraceMs: 70, watchlists: true`,
        `${RIGHT.replace('shop', 'x').replace('a1', 'b1')}, watchlists: true, webhooks: [{ url: https://x.example, events: [member_added, client_event, cache_miss] }]`,
      ]),
    );
    const online = { presence: 'on', public: false, historySize: 0, events: [], memberEvents: false };
    expect(namespaces['pusher-shop.online']).toMatchObject({ ...online, leaveGraceMs: 70 });
    expect(namespaces['pusher-x.online']).toMatchObject(online);
  });

  test.for<[string, readonly string[]]>([
    ['[channel_occupied, member_added]', []],
    ['[client_event]', ['', '.presence', '.cache', '.presence-cache']],
    ['[cache_miss]', ['.cache', '.presence-cache']],
  ])('record client events only for a webhook that gets them: %s', ([events, kinds]) => {
    const { namespaces } = loadConfig(withWebhook(events));
    const recorded = Object.keys(namespaces).filter(name => (namespaces[name]?.events ?? []).length > 0);
    expect(recorded).toEqual(kinds.map(kind => `pusher-shop${kind}`));
  });

  test('record members only for a webhook that gets them', () => {
    const { namespaces } = loadConfig(withWebhook('[member_removed]'));
    expect(Object.keys(namespaces).filter(name => namespaces[name]?.memberEvents)).toEqual([
      'pusher-shop.presence',
      'pusher-shop.presence-cache',
    ]);
  });
});

describe('a problem names the place and the right form', () => {
  test.for<[string, () => NodeJS.ProcessEnv, RegExp]>([
    ['no secret', () => withApps(['id: shop, key: a']), /^pusherApps\.0\.secret: expected a secret/],
    [
      'an id that namespaces cannot hold',
      () => withApps([RIGHT.replace('shop', 'a.b')]),
      /^pusherApps\.0\.id: expected an id/,
    ],
    ['two apps with an id', () => withApps([RIGHT, RIGHT.replace('a1', 'x')]), /^pusherApps: expected a different id/],
    [
      'two apps with a key',
      () => withApps([RIGHT, RIGHT.replace('shop', 'x')]),
      /^pusherApps: expected a different key/,
    ],
    [
      'a namespace of the app',
      () => withApps([RIGHT], 'namespaces: { pusher-shop.cache: { public: true } }'),
      /^namespaces\.pusher-shop\.cache: the app shop/,
    ],
    [
      'the path of the protocol',
      () => withApps([RIGHT], 'roomPaths: { "/app/{room}": "chat:{room}" }'),
      /^roomPaths\.\/app\/\{room\}: pusherApps uses this path/,
    ],
    [
      'a webhook without TLS',
      () => withApps([`${RIGHT}, webhooks: [{ url: http://shop.example, events: [cache_miss] }]`]),
      /^pusherApps\.0\.webhooks: expected https/,
    ],
    [
      'the secret of the documentation in production',
      () => ({
        ...withApps([RIGHT.replace(SECRET, '7ad3773142a6692b25b8')]),
        NODE_ENV: 'production',
        HUBBUB_JWT_SECRET: `${SECRET}c4d9e1a7f3b2`,
      }),
      /^pusherApps\.0\.secret: this one is published/,
    ],
  ])('%s', ([, environment, problem]) => {
    expect(problemsOf(environment())).toEqual([expect.stringMatching(problem)]);
  });

  test('without apps, paths and names like those of an app are free', () => {
    expect(problemsOf(withFile('roomPaths: { "/app/{room}": "chat:{room}" }'))).toEqual([]);
  });
});
