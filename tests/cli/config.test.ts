/** `hubbub config`: current settings and their sources, the errors, the page of all settings; and never a secret. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describedNamespaceFields, describedSettings, environmentName, settingNames } from '@hubbub/config';
import { describe, expect, test } from 'vitest';
import { withConfigFile } from '../presence/config-file.js';
import { cleanup } from '../support/cleanup.js';
import { runHubbub } from '../support/process.js';

const DOCUMENT = fileURLToPath(new URL('../../docs/settings.md', import.meta.url));
const NEEDLE = 'needle-that-nobody-may-see';
const WEBHOOK_SECRET = `whsec_${Buffer.from(`${NEEDLE}-7`).toString('base64')}`;
const SECRETS = {
  HUBBUB_JWT_SECRET: `${NEEDLE}-1`,
  HUBBUB_JWT_ACCEPTED_SECRETS: `${NEEDLE}-2,${NEEDLE}-3`,
  HUBBUB_API_KEYS: `${NEEDLE}-4`,
  HUBBUB_PRESENCE_API_KEYS: `${NEEDLE}-5`,
  HUBBUB_AUTHORIZER_KEY: `${NEEDLE}-6`,
  HUBBUB_WEBHOOK_SECRETS: WEBHOOK_SECRET,
  HUBBUB_AUTHORIZER_URL: `https://auth.example/ask?key=${NEEDLE}`,
  HUBBUB_PRESENCE_URL: 'https://presence.example',
  HUBBUB_REDIS_URL: `redis://me:${NEEDLE}@${NEEDLE}@10.0.0.5:6379/0`,
};

interface Printed {
  readonly settings: ReadonlyArray<{ readonly name: string; readonly source: string; readonly value: unknown }>;
}

describe('config print', () => {
  test('prints the value of each setting, and whether it is from the environment, the file or a default', async () => {
    const file = withConfigFile({
      adminPort: 9100,
      port: 9000,
      namespaces: { chat: { historySize: 5 } },
      roomPaths: { '/chats/{chat}/ws': 'chat:{chat}' },
    });
    const { code, stdout } = await runHubbub(['config', 'print', '--json'], { ...file, HUBBUB_PORT: '9999' });
    expect(code).toBe(0);
    const { settings }: Printed = JSON.parse(stdout);
    const byName = Object.fromEntries(settings.map(setting => [setting.name, setting]));
    expect(Object.keys(byName)).toEqual([...settingNames(), 'namespaces', 'roomPaths', 'webhooks', 'pusherApps']);
    expect(byName).toMatchObject({
      port: { variable: 'HUBBUB_PORT', source: 'environment', value: 9999 },
      adminPort: { source: 'file', value: 9100 },
      apiPort: { source: 'default', value: 8082 },
      redisUrl: { source: 'default', value: null },
      namespaces: { source: 'file', value: { chat: { historySize: 5, echo: false } } },
      roomPaths: { source: 'file', value: { '/chats/{chat}/ws': 'chat:{chat}' } },
    });
    const forPeople = await runHubbub(['config', 'print'], { ...file, HUBBUB_PORT: '9999' });
    expect(forPeople.stdout).toMatch(/^port +environment +9999$/m);
    expect(forPeople.stdout).toMatch(/^redisUrl +default +\(unset\)$/m);
  });

  test.each([[[]], [['--json']]])('hides every secret, also within a URL (%j)', async flags => {
    const { code, stdout, stderr } = await runHubbub(['config', 'print', ...flags], SECRETS);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toContain('needle');
    expect(stdout).not.toContain('whsec_');
    expect(stdout).toContain('redis://•••@10.0.0.5:6379/0');
    expect(stdout).toContain('https://auth.example/ask?key=•••');
    // Those of the settings, of list items, and within URLs.
    expect(stdout.match(/•••/g)).toHaveLength(7 + 2);
  });

  test('hides the secrets of a webhook', async () => {
    const shop = { url: 'https://shop.example/hubbub?key=needle', secrets: [WEBHOOK_SECRET], lifecycle: ['*'] };
    const { stdout } = await runHubbub(['config', 'print'], withConfigFile({ webhooks: { shop } }));
    expect(stdout).toContain('https://shop.example/hubbub?key=•••');
    expect(stdout).not.toMatch(/whsec_|needle/);
  });

  test('shows every server of several shards, without their passwords', async () => {
    const { stdout } = await runHubbub(['config', 'print'], {
      HUBBUB_REDIS_URL: `redis://me:${NEEDLE}@10.0.0.5:6379,redis://10.0.0.6:6379,rediss://:${NEEDLE}@10.0.0.7:6379`,
    });
    expect(stdout).toContain('redis://•••@10.0.0.5:6379,redis://10.0.0.6:6379,rediss://•••@10.0.0.7:6379');
    expect(stdout).not.toContain(NEEDLE);
  });

  test('every setting that sounds like a secret is among those verified above', () => {
    const sounds = /^(?!max).*(secrets?|keys?|password|token)$/i;
    const variables = settingNames()
      .filter(name => sounds.test(name))
      .map(environmentName);
    expect(Object.keys(SECRETS)).toEqual(expect.arrayContaining(variables));
    expect(variables.length).toBeGreaterThanOrEqual(5);
  });

  test('with wrong settings it names them and ends with 78', async () => {
    const { code, stdout, stderr } = await runHubbub(['config', 'print'], { HUBBUB_PORT: 'eighty' });
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
    expect(stderr).toContain('HUBBUB_PORT: expected a whole number from 0 to 65535');
  });
});

describe('config check', () => {
  test('a valid configuration ends with 0', async () => {
    const env = { HUBBUB_JWT_SECRET: NEEDLE };
    expect(await runHubbub(['config', 'check'], env)).toMatchObject({
      code: 0,
      stdout: 'The configuration is valid.\n',
    });
    const asJson = await runHubbub(['config', 'check', '--json'], env);
    expect({ code: asJson.code, report: JSON.parse(asJson.stdout) }).toEqual({
      code: 0,
      report: { ok: true, problems: [], warnings: [] },
    });
  });

  test('names settings to reconsider, and ends with 0', async () => {
    const env = { HUBBUB_JWT_SECRET: NEEDLE, HUBBUB_HOST: '0.0.0.0', NODE_ENV: 'prod' };
    const { code, stdout } = await runHubbub(['config', 'check'], env);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^warn {3}node_env: NODE_ENV=prod means development/m);
    expect(stdout).toMatch(/^warn {3}development_beyond_this_machine: DEVELOPMENT MODE .*HUBBUB_HOST=0\.0\.0\.0/m);
    const { warnings } = JSON.parse((await runHubbub(['config', 'check', '--json'], env)).stdout);
    expect(warnings).toHaveLength(2);
  });

  test('an invalid one ends with 78 and every problem, of the environment and of the file', async () => {
    const env = {
      ...withConfigFile({ namespaces: { chat: { historySize: -1 } }, colour: 'red' }),
      HUBBUB_PORT: 'eighty',
      HUBBUB_PROT: '80',
    };
    const { code, stdout } = await runHubbub(['config', 'check', '--json'], env);
    expect(code).toBe(78);
    expect(JSON.parse(stdout)).toEqual({
      ok: false,
      problems: expect.arrayContaining([
        'HUBBUB_PROT: unknown setting',
        'HUBBUB_PORT: expected a whole number from 0 to 65535',
        'namespaces.chat.historySize: expected a whole number from 0 to 10000',
        'colour: unknown setting',
      ]),
      warnings: [],
    });
    const forPeople = await runHubbub(['config', 'check'], env);
    expect(forPeople.code).toBe(78);
    expect(forPeople.stdout.match(/^wrong {2}/gm)).toHaveLength(4);
  });

  test('reports a conflict between two settings beside an error in one', async () => {
    const env = {
      ...withConfigFile({
        namespaces: {
          chat: { authorize: ['join'], echo: 'maybe' },
          prices: { conflate: true, historySize: 5, leaveGraceMs: 'long' },
        },
      }),
      NODE_ENV: 'production',
      HUBBUB_PORT: 'eighty',
      HUBBUB_JWT_SECRET: 'too-short',
      HUBBUB_TLS_CERT_FILE: '/etc/hubbub/cert.pem',
      HUBBUB_DRAIN_WINDOW_MS: '30000',
    };
    const { code, stdout } = await runHubbub(['config', 'check', '--json'], env);
    expect(code).toBe(78);
    expect([...JSON.parse(stdout).problems].sort()).toEqual([
      'HUBBUB_AUTHORIZER_URL: required by namespaces.chat.authorize',
      'HUBBUB_JWT_SECRET: has 9 bytes; expected at least 32 bytes',
      'HUBBUB_PORT: expected a whole number from 0 to 65535',
      'HUBBUB_SHUTDOWN_TIMEOUT_MS: expected more than HUBBUB_DRAIN_DELAY_MS + HUBBUB_DRAIN_WINDOW_MS (35000), and not 25000: the process would exit while it still disconnects sessions',
      'HUBBUB_TLS_CERT_FILE and HUBBUB_TLS_KEY_FILE: expected both, or none',
      'namespaces.chat.echo: expected true or false',
      'namespaces.prices.conflate: not together with historySize above 0: a history keeps every message, conflation skips some',
      'namespaces.prices.leaveGraceMs: expected a whole number from 0 to 600000',
    ]);
  });

  test.each([
    ['the secret is empty', { NODE_ENV: 'production', HUBBUB_JWT_SECRET: '' }, /^HUBBUB_JWT_SECRET: /],
    [
      'the key set that would replace it is not a URL',
      { NODE_ENV: 'production', HUBBUB_JWT_JWKS_URL: 'id.example' },
      /^HUBBUB_JWT_JWKS_URL: expected a URL/,
    ],
    [
      'the authorizer is not a URL',
      { HUBBUB_AUTHORIZER_URL: 'auth', HUBBUB_AUTHORIZE_CONNECTIONS: 'true' },
      /^HUBBUB_AUTHORIZER_URL: expected a URL/,
    ],
    ['its file cannot be read', { NODE_ENV: 'production', HUBBUB_CONFIG: '/nowhere/hubbub.yaml' }, /^HUBBUB_CONFIG: /],
  ])('a setting that is wrong itself, or unknown, causes no further error: %s', async (_, env, notice) => {
    const { stdout } = await runHubbub(['config', 'check', '--json'], env);
    const { problems }: { problems: string[] } = JSON.parse(stdout);
    expect(problems).toEqual([expect.stringMatching(notice)]);
  });

  test.each([
    [
      'a line that is not YAML',
      `jwtSecret: "${NEEDLE}"\n  port: : 1\n`,
      /BLOCK_AS_IMPLICIT_KEY|at line \d+, column \d+/,
    ],
    ['a secret that begins like an alias', `jwtSecret: *${NEEDLE}\n`, /put it in quotes/],
  ])('a file with %s is refused without quoting it', async (_, content, notice) => {
    const folder = mkdtempSync(join(tmpdir(), 'hubbub-'));
    cleanup(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'hubbub.yaml');
    writeFileSync(file, content);
    const { code, stdout, stderr } = await runHubbub(['config', 'check'], { HUBBUB_CONFIG: file });
    expect(code).toBe(78);
    expect(stdout).toMatch(notice);
    expect(stdout + stderr).not.toContain(NEEDLE);
  });
});

describe('config docs', () => {
  test('prints docs/settings.md', async () => {
    const { code, stdout } = await runHubbub(['config', 'docs']);
    expect(code).toBe(0);
    // To update the page: npm run build && npx hubbub config docs > docs/settings.md
    expect(readFileSync(DOCUMENT, 'utf8')).toBe(stdout);
  });

  test('has every setting in one group, each with its meaning and its allowed values', () => {
    const settings = describedSettings().flatMap(group => group.settings);
    expect(settings.map(({ name }) => name).sort()).toEqual(settingNames().sort());
    const silent = [...settings, ...describedNamespaceFields()].filter(
      ({ meaning, values }) => meaning === '' || values === '',
    );
    expect(silent).toEqual([]);
  });
});
