/** Secrets in files of their own: HUBBUB_JWT_SECRET_FILE names a file that holds the value of HUBBUB_JWT_SECRET. */
import { describe, expect, test } from 'vitest';
import { effectiveSettings, environmentName, loadConfig, settingNames, settingsWithFile } from '../src/index.js';
import { configFile, problemsOf, withFile } from './support/settings.js';

const SECRET = 'Vn0yX2m4R1tKp8sQ3wEz6uHa9cJf5dLb';
const SECOND = 'q3Zk0v8Jm1xWc7Yt5Rn2Lb9Hs4Gd6Pfa';

test('every setting that is hidden, or shown without a password, may be in a file', () => {
  const environment = Object.fromEntries([
    ['HUBBUB_REDIS_URL', 'redis://me:hidden-1@h'],
    ['HUBBUB_REGISTRY_REDIS_URL', 'redis://me:hidden-1@h'],
    ['HUBBUB_JWT_SECRET', SECRET],
    ['HUBBUB_JWT_ACCEPTED_SECRETS', SECOND],
    ['HUBBUB_API_KEYS', SECRET],
    ['HUBBUB_PRESENCE_API_KEYS', SECRET],
    ['HUBBUB_AUTHORIZER_KEY', SECRET],
    ['HUBBUB_WEBHOOK_SECRETS', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
  ]);
  const hidden = effectiveSettings(loadConfig(environment), environment).filter(({ value }) =>
    JSON.stringify(value ?? null).includes('•••'),
  );
  expect(hidden.map(({ name }) => name).sort()).toEqual(settingsWithFile().sort());
  expect(Object.keys(environment).sort()).toEqual(settingsWithFile().map(environmentName).sort());
});

test('no setting has the name of a file of another one', () => {
  expect(
    settingNames().filter(name => settingsWithFile().includes(name.replace(/File$/, '')) && /File$/.test(name)),
  ).toEqual([]);
});

describe.each(settingsWithFile())('%s', name => {
  const variable = environmentName(name);
  const value = name.endsWith('edisUrl')
    ? 'redis://me:hidden@h'
    : name === 'webhookSecrets'
      ? 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
      : SECRET;
  const others = name === 'registryRedisUrl' ? { HUBBUB_REDIS_URL: 'redis://h' } : {};

  test('has the same value from a file as from the variable', () => {
    const plain = loadConfig({ ...others, [variable]: value });
    const path = configFile('secret', `${value}\n`);
    const fromFile = loadConfig({ ...others, [`${variable}_FILE`]: path });
    const key = name as keyof typeof plain;
    expect(fromFile[key]).toEqual(plain[key]);
    expect(fromFile.warnings).toEqual(plain.warnings);
  });

  test('reports a file that it cannot read, with the path', () => {
    expect(problemsOf({ ...others, [`${variable}_FILE`]: '/nowhere/secret' })).toEqual([
      expect.stringMatching(new RegExp(`^${variable}_FILE: cannot read /nowhere/secret: ENOENT`)),
    ]);
  });

  test('refuses the setting and its file together', () => {
    const environment = { ...others, [variable]: value, [`${variable}_FILE`]: configFile('secret', value) };
    expect(problemsOf(environment)).toEqual([`${variable} and ${variable}_FILE: expected one of them`]);
  });
});

test('a list has one item a line, or commas', () => {
  const path = configFile('secrets', `${SECRET}\n${SECOND},third\n\n`);
  expect(loadConfig({ HUBBUB_JWT_ACCEPTED_SECRETS_FILE: path }).jwtAcceptedSecrets).toEqual([SECRET, SECOND, 'third']);
  expect(loadConfig({ HUBBUB_JWT_ACCEPTED_SECRETS_FILE: configFile('none', '\n') }).jwtAcceptedSecrets).toEqual([]);
});

test('a problem of the value names the path, and not the value', () => {
  const path = configFile('secret', 'short\n');
  const production = { NODE_ENV: 'production', HUBBUB_ALLOWED_ORIGINS: '' };
  expect(problemsOf({ ...production, HUBBUB_JWT_SECRET_FILE: path })).toEqual([
    `HUBBUB_JWT_SECRET (in ${path}): has 5 bytes; expected at least 32 bytes`,
  ]);
  const url = configFile('url', 'http://me:hidden@h');
  const problems = problemsOf({ HUBBUB_REDIS_URL_FILE: url });
  expect(problems).toEqual([expect.stringMatching(/^HUBBUB_REDIS_URL \(in .+\): expected a URL like redis:/)]);
  expect(problems.join()).not.toContain('hidden');
});

test('an empty secret in a file is a wrong one', () => {
  const path = configFile('empty', '\n');
  expect(problemsOf({ HUBBUB_JWT_SECRET_FILE: path })).toEqual([
    `HUBBUB_JWT_SECRET (in ${path}): expected a secret, such as from openssl rand -base64 48`,
  ]);
});

test('an unreadable file is the only problem: the secret is not reported as missing', () => {
  const problems = problemsOf({ NODE_ENV: 'production', HUBBUB_JWT_SECRET_FILE: '/nowhere/jwt' });
  expect(problems).toEqual([expect.stringMatching(/^HUBBUB_JWT_SECRET_FILE: cannot read \/nowhere\/jwt: ENOENT/)]);
});

test.each(['', '{ nested: true }', '7'])('the path %j is a problem with an example', value => {
  expect(problemsOf(withFile(`jwtSecretFile: ${value === '' ? '""' : value}\n`))).toEqual([
    'HUBBUB_JWT_SECRET_FILE: expected a path such as /run/secrets/jwtSecret',
  ]);
});

test('the configuration file may name it, and a variable overrides that', () => {
  const environment = withFile(`jwtSecretFile: ${configFile('jwt', `${SECRET}\n`)}\n`);
  expect(loadConfig(environment).jwtSecret).toBe(SECRET);
  expect(loadConfig({ ...environment, HUBBUB_JWT_SECRET: SECOND }).jwtSecret).toBe(SECOND);
  expect(problemsOf({ ...environment, HUBBUB_JWT_SECRET: '' })).toEqual([
    'HUBBUB_JWT_SECRET: expected a secret, such as from openssl rand -base64 48',
  ]);
});

test('config print shows the path instead of the secret', () => {
  const path = configFile('jwt', SECRET);
  const environment = { HUBBUB_JWT_SECRET_FILE: path };
  const shown = effectiveSettings(loadConfig(environment), environment).find(({ name }) => name === 'jwtSecret');
  expect(shown).toMatchObject({ source: 'environment', path, value: '•••' });
});

test('other settings have no such file', () => {
  expect(problemsOf({ HUBBUB_PORT_FILE: '/etc/port' })).toEqual(['HUBBUB_PORT_FILE: unknown setting']);
});
