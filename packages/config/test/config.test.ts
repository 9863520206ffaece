import { describe, expect, test } from 'vitest';
import { loadConfig } from '../src/load-config.js';
import { namespaceSettings } from '../src/namespaces.js';
import { configFile, problemsOf } from './support/settings.js';

const STRONG_SECRET = 'Vn0yX2m4R1tKp8sQ3wEz6uHa9cJf5dLb';

describe('configuration', () => {
  test('without settings everything has its default, and the result is frozen', () => {
    const config = loadConfig({});
    expect(config).toMatchObject({
      port: 8080,
      adminPort: 8081,
      host: '127.0.0.1',
      logLevel: 'info',
      production: false,
    });
    expect(config.redisUrl).toBeUndefined();
    expect(config.nodeId).toMatch(/^[A-Za-z0-9_.-]+$/);
    expect(loadConfig({}).nodeId).not.toBe(config.nodeId);
    expect(Object.isFrozen(config)).toBe(true);
  });

  test('variables go over the file, the file over the defaults', () => {
    const path = configFile(
      'hubbub.yaml',
      'port: 9000\nadminPort: 9001\nallowedOrigins: [https://a.example]\nnamespaces:\n  chat: { public: true }\n',
    );
    const config = loadConfig({ HUBBUB_CONFIG: path, HUBBUB_PORT: '9100' });
    expect(config).toMatchObject({ port: 9100, adminPort: 9001, allowedOrigins: ['https://a.example'] });
    expect(namespaceSettings(config.namespaces, 'chat')).toMatchObject({ public: true, echo: false });
  });

  test('room paths come from the file, and a problem names its place in the file', () => {
    const wrong = configFile('wrong.yaml', 'roomPaths:\n  /chats/{chat}/ws: chat:{room}\n');
    expect(problemsOf({ HUBBUB_CONFIG: wrong })).toEqual([
      'roomPaths./chats/{chat}/ws: {room} of the room is not in the path',
    ]);
    expect(problemsOf({ HUBBUB_ROOM_PATHS: '{}' })).toEqual(['HUBBUB_ROOM_PATHS: unknown setting']);
    const right = configFile('right.yaml', 'roomPaths:\n  /chats/{chat}/ws: chat:{chat}\n');
    expect(loadConfig({ HUBBUB_CONFIG: right }).roomPaths).toMatchObject([{ path: '/chats/{chat}/ws' }]);
  });

  test('the file may be JSON', () => {
    expect(loadConfig({ HUBBUB_CONFIG: configFile('hubbub.json', '{"port": 9000}') }).port).toBe(9000);
  });

  test('refuses half a surrogate pair, wherever it is escaped', () => {
    const path = configFile('half.json', '{"jwtIssuer": "a\\ud83d", "namespaces": {"a": {"events": ["\\udc00"]}}}');
    expect(problemsOf({ HUBBUB_CONFIG: path })).toEqual(
      expect.arrayContaining([
        'jwtIssuer: has half a surrogate pair',
        'namespaces.a.events.0: has half a surrogate pair',
      ]),
    );
  });

  test('a namespace that is not configured is not public, the default one is', () => {
    expect(namespaceSettings({}, 'default').public).toBe(true);
    expect(namespaceSettings({}, 'chat').public).toBe(false);
    expect(namespaceSettings({}, 'constructor').public).toBe(false);
  });

  test('the default namespace stays public when other fields of it are set', () => {
    const path = configFile('hubbub.yaml', 'namespaces: { default: { echo: true } }');
    const { namespaces } = loadConfig({ HUBBUB_CONFIG: path });
    expect(namespaceSettings(namespaces, 'default')).toMatchObject({ public: true, echo: true });
  });

  test('reports all problems together, by name, with the right form', () => {
    const path = configFile('hubbub.yaml', 'portt: 1\nnamespaces:\n  chat: { publik: true, echo: 7 }\n');
    const problems = problemsOf({
      HUBBUB_CONFIG: path,
      HUBBUB_PORT: 'eighty',
      HUBBUB_ADMIN_PORT: '70000',
      HUBBUB_PROT: '1',
      HUBBUB_LOG_LEVEL: 'loud',
      HUBBUB_REDIS_URL: 'localhost',
      HUBBUB_IDLE_TIMEOUT_MS: '1',
    });
    expect(problems).toEqual(
      expect.arrayContaining([
        'HUBBUB_PROT: unknown setting',
        'HUBBUB_PORT: expected a whole number from 0 to 65535',
        'HUBBUB_ADMIN_PORT: expected a whole number from 0 to 65535',
        'HUBBUB_LOG_LEVEL: expected one of fatal, error, warn, info, debug, trace, silent',
        'HUBBUB_REDIS_URL: expected a URL like redis://127.0.0.1:6379',
        'HUBBUB_IDLE_TIMEOUT_MS: expected a whole number from 8000 to 960000',
        'portt: unknown setting',
        'namespaces.chat.publik: unknown setting',
        'namespaces.chat.echo: expected true or false',
      ]),
    );
    expect(problems).toHaveLength(9);
  });

  test('conflation and a history exclude each other, and its bound stays well below the one that cuts off', () => {
    const namespaces = 'namespaces:\n  fx: { conflate: true }\n  chat: { conflate: true, historySize: 5 }\n';
    expect(problemsOf({ HUBBUB_CONFIG: configFile('both.yaml', namespaces) })).toEqual([
      'namespaces.chat.conflate: not together with historySize above 0: a history keeps every message, conflation skips some',
    ]);
    const bounds = { HUBBUB_CONFLATE_ABOVE_BYTES: '8192', HUBBUB_MAX_BUFFERED_BYTES: '16383' };
    expect(problemsOf(bounds)).toEqual([
      expect.stringMatching(/^HUBBUB_MAX_BUFFERED_BYTES: expected at least 2 × HUBBUB_CONFLATE_ABOVE_BYTES \(16384\)/),
    ]);
    expect(loadConfig({}).conflateAboveBytes).toBe(65_536);
    expect(loadConfig({ HUBBUB_MAX_BUFFERED_BYTES: '8192' }).conflateAboveBytes).toBe(2048);
  });

  test.each(['10.0.0.0/33', '2001:db8::/129', '999.1.1.1', 'proxy', '10.0.0.0/', '10.0.0.0/8/8'])(
    'rejects %s as a network of trusted proxies',
    network => {
      expect(problemsOf({ HUBBUB_TRUSTED_PROXIES: `127.0.0.1,${network}` }).join()).toContain('HUBBUB_TRUSTED_PROXIES');
    },
  );

  test('networks and addresses of trusted proxies, by both families', () => {
    const networks = ['10.0.0.0/8', '192.0.2.1', '2001:db8::/32', '::1'];
    expect(loadConfig({ HUBBUB_TRUSTED_PROXIES: networks.join(', ') }).trustedProxies).toEqual(networks);
  });

  test.each([
    ['is not there', '/nowhere/hubbub.yaml'],
    ['is not YAML', configFile('bad.yaml', 'port: [')],
    ['holds a list', configFile('list.yaml', '- port')],
  ])('a file that %s is a problem', (_, path) => {
    expect(problemsOf({ HUBBUB_CONFIG: path }).join()).toContain('HUBBUB_CONFIG');
  });

  test('in production no secret means no start, and a short one neither', () => {
    expect(problemsOf({ NODE_ENV: 'production' }).join()).toContain('HUBBUB_JWT_SECRET: required in production');
    expect(problemsOf({ NODE_ENV: 'production', HUBBUB_JWT_SECRET: 'short' }).join()).toContain('at least 32 bytes');
    expect(problemsOf({ NODE_ENV: 'production', HUBBUB_JWT_SECRET: STRONG_SECRET })).toEqual([]);
  });

  test('in production, processes that verify no tokens need no secret, but accept no weak one', () => {
    const load = (environment: NodeJS.ProcessEnv) => loadConfig(environment, { verifiesTokens: false });
    expect(load({ NODE_ENV: 'production' }).jwtSecret).toBeUndefined();
    expect(() => load({ NODE_ENV: 'production', HUBBUB_JWT_SECRET: 'short' })).toThrow('at least 32 bytes');
  });

  test('a drain ends before the process has to, and the balancer is waited for in production', () => {
    const production = { NODE_ENV: 'production', HUBBUB_JWT_SECRET: STRONG_SECRET };
    expect(loadConfig({})).toMatchObject({ drainDelayMs: 0, drainWindowMs: 10_000 });
    expect(loadConfig(production)).toMatchObject({ drainDelayMs: 5000 });
    const tooShort = 'HUBBUB_SHUTDOWN_TIMEOUT_MS: expected more than';
    expect(problemsOf({ HUBBUB_SHUTDOWN_TIMEOUT_MS: '10000' }).join()).toContain(`${tooShort}`);
    expect(problemsOf({ ...production, HUBBUB_SHUTDOWN_TIMEOUT_MS: '15000' }).join()).toContain(
      'HUBBUB_DRAIN_DELAY_MS + HUBBUB_DRAIN_WINDOW_MS (15000)',
    );
    expect(problemsOf({ HUBBUB_DRAIN_WINDOW_MS: '500', HUBBUB_SHUTDOWN_TIMEOUT_MS: '1000' })).toEqual([]);
  });

  test('requires the URL of the authorizer, without a password in it', () => {
    const namespaces = configFile('authorize.yaml', 'namespaces:\n  chat: { authorize: [join] }\n');
    expect(problemsOf({ HUBBUB_CONFIG: namespaces })).toEqual([
      'HUBBUB_AUTHORIZER_URL: required by namespaces.chat.authorize',
    ]);
    expect(problemsOf({ HUBBUB_AUTHORIZE_CONNECTIONS: 'true' })).toEqual([
      'HUBBUB_AUTHORIZER_URL: required by HUBBUB_AUTHORIZE_CONNECTIONS',
    ]);
    const url = { HUBBUB_AUTHORIZER_URL: 'http://127.0.0.1:4000/' };
    expect(problemsOf({ ...url, HUBBUB_CONFIG: namespaces, HUBBUB_AUTHORIZE_CONNECTIONS: 'true' })).toEqual([]);
    expect(problemsOf({ HUBBUB_AUTHORIZER_URL: 'http://me:secret@127.0.0.1/' })).toEqual([
      'HUBBUB_AUTHORIZER_URL: expected a URL like https://auth.example.com, without a name and a password: HUBBUB_AUTHORIZER_KEY is sent instead',
    ]);
  });

  test('a Redis of the registry needs one of the rooms, and either may be the one with TLS', () => {
    const registry = { HUBBUB_REGISTRY_REDIS_URL: 'rediss+sentinel://s1,s2/registry' };
    expect(problemsOf(registry)).toEqual([
      'HUBBUB_REGISTRY_REDIS_URL: requires HUBBUB_REDIS_URL, the Redis of the rooms',
    ]);
    const rooms = { HUBBUB_REDIS_URL: 'redis+cluster://h1,h2', HUBBUB_REDIS_TLS_CA_FILE: '/ca.crt' };
    expect(problemsOf({ ...rooms, ...registry })).toEqual([]);
    expect(problemsOf(rooms).join()).toContain('expected TLS (rediss://)');
    expect(problemsOf({ ...rooms, ...registry, HUBBUB_REGISTRY_REDIS_URL: 'http://h' }).join()).toContain(
      'HUBBUB_REGISTRY_REDIS_URL: expected a URL like redis://127.0.0.1:6379',
    );
  });

  test('a durable namespace needs a history, and is a warning without Redis', () => {
    expect(problemsOf({ HUBBUB_CONFIG: configFile('durable.yaml', 'namespaces: { a: { durable: true } }') })).toEqual([
      'namespaces.a.durable: only together with historySize above 0: without a history, Redis keeps no message',
    ]);
    const path = configFile('orders.yaml', 'namespaces: { orders: { historySize: 1, durable: true } }');
    const inMemory = loadConfig({ HUBBUB_CONFIG: path }).warnings.find(({ name }) => name === 'durable_in_memory');
    expect(inMemory?.message).toContain('orders');
    const { warnings } = loadConfig({ HUBBUB_CONFIG: path, HUBBUB_REDIS_URL: 'redis://h' });
    expect(warnings.map(({ name }) => name)).not.toContain('durable_in_memory');
  });

  test('a flag is true or false', () => {
    expect(loadConfig({ HUBBUB_SHARED_PORT: 'true' }).sharedPort).toBe(true);
    expect(problemsOf({ HUBBUB_SHARED_PORT: 'yes' })).toEqual(['HUBBUB_SHARED_PORT: expected true or false']);
  });

  test('an empty variable is a wrong value, not a missing one', () => {
    expect(problemsOf({ HUBBUB_PORT: '' })).toHaveLength(1);
  });
});
