import { describe, expect, test } from 'vitest';
import { loadConfig, namespaceSettings } from '../src/index.js';
import { problemsOf, withFile } from './support/settings.js';

describe('refused by name', () => {
  test.each([
    ['HUBBUB_REDIS_URL', 'redis://:pa/ss@127.0.0.1:6379'],
    ['HUBBUB_REDIS_URL', 'redis://:pa#ss@127.0.0.1:6379'],
    ['HUBBUB_REDIS_URL', 'redis://:6379'],
    ['HUBBUB_REDIS_URL', 'redis://127.0.0.1/cache'],
    ['HUBBUB_HOST', '127.0.0.1:8080'],
    ['HUBBUB_HOST', 'http://0.0.0.0'],
    ['HUBBUB_HOST', '[::1]'],
    ['HUBBUB_HOST', '999.0.0.1'],
    ['HUBBUB_ADMIN_HOST', '0.0.0.0/0'],
    ['HUBBUB_API_HOST', '*'],
    ['HUBBUB_BASE_PATH', '/api/..'],
    ['HUBBUB_BASE_PATH', '/.'],
    ['HUBBUB_PRESENCE_URL', 'http://me:secret@presence:8081'],
    ['HUBBUB_PRESENCE_URL', 'http://presence:8081/?x=1'],
    ['HUBBUB_PRESENCE_URL', 'http://presence:8081/#x'],
    ['HUBBUB_API_KEYS', 'ünïcode-is-no-header'],
    ['HUBBUB_API_KEYS', 'two words'],
    ['HUBBUB_PRESENCE_API_KEYS', 'a-tab\there'],
    ['HUBBUB_AUTHORIZER_KEY', 'line\nbreak'],
    ['HUBBUB_TRUSTED_PROXIES', 'fe80::1%eth0'],
  ])('%s=%j', (variable, value) => {
    expect(problemsOf({ [variable]: value })).toEqual([expect.stringMatching(new RegExp(`^${variable}: expected `))]);
  });

  test.each([
    ['namespaces.chat.events.0', 'namespaces: { chat: { events: ["a..b"] } }'],
    ['namespaces.chat.events.0', 'namespaces: { chat: { events: ["send_message"] } }'],
    ['namespaces.chat.events.0', 'namespaces: { chat: { events: ["order.*.x"] } }'],
    ['namespaces.chat.events.0', 'namespaces: { chat: { events: ["room_closed"] } }'],
    ['namespaces.chat.events.0', 'namespaces: { chat: { events: ["hubbub.room.removed"] } }'],
    ['namespaces.chat.events.0', 'namespaces: { chat: { events: ["hubbub.*"] } }'],
    ['roomPaths./a/../ws', 'roomPaths: { /a/../ws: general }'],
    ['roomPaths./a/ws', `roomPaths: { /a/ws: ${'x'.repeat(256)} }`],
  ])('%s in the file', (place, content) => {
    expect(problemsOf(withFile(content))).toEqual([expect.stringMatching(new RegExp(`^${place}: expected `))]);
  });

  test.each([
    ['HUBBUB_HOST', '0.0.0.0'],
    ['HUBBUB_HOST', '::'],
    ['HUBBUB_HOST', 'edge-1.internal'],
    ['HUBBUB_BASE_PATH', '/api/v1.2'],
    ['HUBBUB_PRESENCE_URL', 'http://presence:8081/behind/a/proxy'],
    ['HUBBUB_API_KEYS', 'abc+/=,-_.~'],
  ])('accepted: %s=%j', (variable, value) => {
    expect(problemsOf({ [variable]: value })).toEqual([]);
  });
});

describe('leftovers of an operator', () => {
  test('a line break at the end of a variable is not part of it, and is reported', () => {
    const config = loadConfig({
      HUBBUB_JWT_SECRET: 'my-secret\n',
      HUBBUB_PORT: '9000\r\n',
      HUBBUB_API_KEYS: 'one,two\n',
    });
    expect(config).toMatchObject({ jwtSecret: 'my-secret', port: 9000 });
    expect(config.apiKeys.map(({ key }) => key)).toEqual(['one', 'two']);
    expect(config.warnings).toEqual([
      expect.objectContaining({
        name: 'line_break_removed',
        message: expect.stringContaining('HUBBUB_JWT_SECRET, HUBBUB_PORT, HUBBUB_API_KEYS'),
      }),
    ]);
  });

  test('a secret in the file loses it too; other spaces stay, and are reported', () => {
    const file = withFile('jwtSecret: |\n  my-secret\njwtAcceptedSecrets: ["old\\n"]\n');
    const config = loadConfig(file);
    expect(config).toMatchObject({ jwtSecret: 'my-secret', jwtAcceptedSecrets: ['old'] });
    expect(config.warnings.map(({ name }) => name)).toEqual(['line_break_removed']);
    const spaced = loadConfig({ HUBBUB_JWT_SECRET: ' my-secret' });
    expect(spaced.jwtSecret).toBe(' my-secret');
    expect(spaced.warnings.map(({ name }) => name)).toEqual(['secret_with_spaces']);
  });

  test('ignores and reports the variables that Kubernetes sets for a Service called hubbub', () => {
    const config = loadConfig({
      HUBBUB_JWT_SECRET: 'mine',
      HUBBUB_SERVICE_HOST: '10.96.0.10',
      HUBBUB_SERVICE_PORT: '8080',
      HUBBUB_SERVICE_PORT_CLIENTS: '8080',
      HUBBUB_PORT: 'tcp://10.96.0.10:8080',
      HUBBUB_PORT_8080_TCP: 'tcp://10.96.0.10:8080',
      HUBBUB_PORT_8080_TCP_PROTO: 'tcp',
      HUBBUB_PORT_8080_TCP_PORT: '8080',
      HUBBUB_PORT_8080_TCP_ADDR: '10.96.0.10',
      HUBBUB_API_SERVICE_HOST: '10.96.0.11',
      HUBBUB_API_SERVICE_PORT: '8082',
      HUBBUB_API_PORT: 'tcp://10.96.0.11:8082',
      HUBBUB_API_PORT_8082_TCP: 'tcp://10.96.0.11:8082',
      HUBBUB_API_PORT_8082_TCP_ADDR: '10.96.0.11',
    });
    expect(config).toMatchObject({ port: 8080, apiPort: 8082 });
    expect(config.warnings).toEqual([
      {
        name: 'kubernetes_service_links',
        message: expect.stringContaining('HUBBUB_SERVICE_HOST'),
        change: expect.stringContaining('enableServiceLinks: false'),
      },
    ]);
  });

  test('only with its Service: a misspelled setting stays a problem', () => {
    const of = (environment: NodeJS.ProcessEnv) => problemsOf(environment).join('\n');
    expect(of({ HUBBUB_SERVICE_PORT: '80' })).toContain('HUBBUB_SERVICE_PORT: unknown setting');
    expect(of({ HUBBUB_PORT: 'tcp://10.96.0.10:8080' })).toContain('HUBBUB_PORT: expected');
    expect(of({ HUBBUB_SERVICE_HOST: 'h', HUBBUB_SERVICE_PORT: '80', HUBBUB_PROT: '1' })).toContain('HUBBUB_PROT');
  });

  test('an empty map or list of the file stays empty, at every level; an empty value counts as absent', () => {
    const config = loadConfig(withFile('namespaces:\nroomPaths:\napiKeys:\ntrustedProxies:\njwtAcceptedSecrets:\n'));
    expect(config).toMatchObject({
      namespaces: {},
      roomPaths: [],
      apiKeys: [],
      trustedProxies: [],
      jwtAcceptedSecrets: [],
    });
    const inner =
      'namespaces:\n  default:\n  chat:\n  game:\n    events:\n    authorize:\n    anonymousRights:\n    keepMembers:\n';
    const { namespaces } = loadConfig(withFile(inner));
    expect(namespaceSettings(namespaces, 'default').public).toBe(true);
    expect(namespaces.chat).toMatchObject({ public: false, events: [] });
    expect(namespaces.game).toMatchObject({ events: [], authorize: [], anonymousRights: [] });
    expect(problemsOf(withFile('port:\n'))).toEqual([expect.stringMatching(/^HUBBUB_PORT: expected /)]);
  });
});
