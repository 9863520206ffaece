/** Settings that look like protection and give none: refused in production, or a warning with a name. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { DEVELOPMENT_JWT_SECRET, loadConfig } from '../src/index.js';
import { problemsOf } from './support/settings.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const STRONG = 'q3Zk0v8Jm1xWc7Yt5Rn2Lb9Hs4Gd6Pf';
const STRONG_SECRET = `${STRONG}-${STRONG.toLowerCase()}`;
const PRODUCTION = {
  NODE_ENV: 'production',
  HUBBUB_JWT_SECRET: STRONG_SECRET,
  HUBBUB_ALLOWED_ORIGINS: 'https://app.example',
};
const JWKS = { ...PRODUCTION, HUBBUB_JWT_SECRET: undefined, HUBBUB_JWT_JWKS_URL: 'https://id.example/jwks' };

function warningsOf(environment: NodeJS.ProcessEnv): string[] {
  return loadConfig(environment).warnings.map(({ name }) => name);
}

describe('production refuses', () => {
  test.each<[string, NodeJS.ProcessEnv, RegExp]>([
    ['the development secret', { HUBBUB_JWT_SECRET: DEVELOPMENT_JWT_SECRET }, /^HUBBUB_JWT_SECRET: .*published/],
    [
      'the secret of the examples',
      { HUBBUB_JWT_SECRET: 'the-secret-of-the-examples-which-everybody-knows' },
      /^HUBBUB_JWT_SECRET: .*published/,
    ],
    [
      'a published secret as a further one',
      { HUBBUB_JWT_ACCEPTED_SECRETS: DEVELOPMENT_JWT_SECRET },
      /^HUBBUB_JWT_ACCEPTED_SECRETS: .*published/,
    ],
    ['32 equal letters', { HUBBUB_JWT_SECRET: 'a'.repeat(32) }, /^HUBBUB_JWT_SECRET: .*random/],
    ['a word again and again', { HUBBUB_JWT_SECRET: 'password12'.repeat(4) }, /^HUBBUB_JWT_SECRET: .*random/],
    ['an API key of one letter', { HUBBUB_API_KEYS: 'a' }, /^HUBBUB_API_KEYS: .*32 bytes/],
    [
      'an API key of one letter with token minting',
      { HUBBUB_API_KEYS: 'a', HUBBUB_API_TOKENS: 'true' },
      /^HUBBUB_API_KEYS: .*32 bytes/,
    ],
    ['an API key of 31 characters', { HUBBUB_API_KEYS: STRONG }, /^HUBBUB_API_KEYS: has 31 bytes.*32 bytes/],
    ['the API key of the examples', { HUBBUB_API_KEYS: '9f0b7c52d1e84a36b0c7f2e95d18a46c3e70' }, /published/],
    ['the example of jwt.io', { HUBBUB_JWT_SECRET: 'a-string-secret-at-least-256-bits-long' }, /everybody knows/],
    ['an API key of equal letters', { HUBBUB_API_KEYS: 'a'.repeat(32) }, /^HUBBUB_API_KEYS: .*random/],
    [
      'a short key of presence',
      { HUBBUB_PRESENCE_API_KEYS: `${STRONG_SECRET},short` },
      /^HUBBUB_PRESENCE_API_KEYS: .*key 2 /,
    ],
    [
      'a key that a comma cut in two',
      { HUBBUB_API_KEYS: `${STRONG_SECRET},ab` },
      /^HUBBUB_API_KEYS: key 2 of 2 has 2 bytes.*[Cc]omma/,
    ],
    [
      'an accepted secret that a comma cut in two',
      { HUBBUB_JWT_ACCEPTED_SECRETS: `${STRONG_SECRET},ab` },
      /^HUBBUB_JWT_ACCEPTED_SECRETS: secret 2 of 2 has 2 bytes.*[Cc]omma/,
    ],
  ])('%s', (_, environment, problem) => {
    const problems = problemsOf({ ...PRODUCTION, ...environment });
    expect(problems).toEqual([expect.stringMatching(problem)]);
    for (const value of Object.values(environment)) {
      if (value !== undefined && value.length > 8) expect(problems.join()).not.toContain(value);
    }
  });

  test('a key set that is bound to neither an issuer nor an audience', () => {
    expect(problemsOf(JWKS)).toEqual([expect.stringMatching(/^HUBBUB_JWT_JWKS_URL: .*HUBBUB_JWT_AUDIENCE/)]);
    expect(problemsOf({ ...JWKS, HUBBUB_JWT_AUDIENCE: 'hub' })).toEqual([]);
    expect(problemsOf({ ...JWKS, HUBBUB_JWT_ISSUER: 'https://id.example' })).toEqual([]);
  });

  test('every secret that this repository publishes', () => {
    const published = new Set<string>();
    for (const folder of ['docs', 'deploy', 'examples', 'packages', '.']) {
      for (const name of readdirSync(`${ROOT}${folder}`, { recursive: folder !== '.' }).map(String)) {
        if (!/\.(md|ya?ml|service|env|example)$/.test(name) || /node_modules|dist/.test(name)) continue;
        const text = readFileSync(`${ROOT}${folder}/${name}`, 'utf8');
        for (const [, secret = ''] of text.matchAll(/HUBBUB_JWT_SECRET[=:] ?([A-Za-z0-9][\w-]{31,})/g))
          published.add(secret);
      }
    }
    for (const secret of published) {
      expect(problemsOf({ ...PRODUCTION, HUBBUB_JWT_SECRET: secret }), secret).toEqual([
        expect.stringContaining('published'),
      ]);
    }
  });

  test('nothing of what openssl makes', () => {
    for (const key of [
      STRONG_SECRET,
      '5f1c9a0e7b3d2468a2c4e6f80b1d3f57c9e1b3d5',
      'Vn0yX2m4R1tKp8sQ3wEz6uHa9cJf5dLb7gOiTq/+kMY=',
    ]) {
      expect(problemsOf({ ...PRODUCTION, HUBBUB_API_KEYS: key, HUBBUB_PRESENCE_API_KEYS: key })).toEqual([]);
    }
    expect(problemsOf({ HUBBUB_API_KEYS: 'a', HUBBUB_JWT_SECRET: 'a' })).toEqual([]); // Development.
  });
});

describe('a warning has a name', () => {
  test.each<[string, NodeJS.ProcessEnv, string[]]>([
    ['nothing is wrong in production', PRODUCTION, []],
    ['no list of origins in production', { ...PRODUCTION, HUBBUB_ALLOWED_ORIGINS: undefined }, ['no_allowed_origins']],
    ['an empty list of origins in production', { ...PRODUCTION, HUBBUB_ALLOWED_ORIGINS: '' }, []],
    ['nothing is wrong in development, on this machine', { HUBBUB_JWT_SECRET: STRONG_SECRET }, []],
    ['the development secret', {}, ['development_secret']],
    ['the development secret, set explicitly', { HUBBUB_JWT_SECRET: DEVELOPMENT_JWT_SECRET }, ['development_secret']],
    [
      'development on every address',
      { HUBBUB_JWT_SECRET: STRONG_SECRET, HUBBUB_HOST: '0.0.0.0' },
      ['development_beyond_this_machine'],
    ],
    [
      'development on an admin port for others',
      { HUBBUB_JWT_SECRET: STRONG_SECRET, HUBBUB_ADMIN_HOST: '::' },
      ['development_beyond_this_machine'],
    ],
    ['a NODE_ENV that means development', { ...PRODUCTION, NODE_ENV: 'Production' }, ['node_env']],
    [
      'a key set without an audience',
      { ...JWKS, HUBBUB_JWT_ISSUER: 'https://id.example' },
      ['key_set_without_audience'],
    ],
    ['a key set without an issuer', { ...JWKS, HUBBUB_JWT_AUDIENCE: 'hub' }, ['key_set_without_issuer']],
    [
      'an authorizer by http with a key',
      { ...PRODUCTION, HUBBUB_AUTHORIZER_URL: 'http://auth.example/', HUBBUB_AUTHORIZER_KEY: STRONG_SECRET },
      ['authorizer_in_the_clear'],
    ],
    [
      'an authorizer by http on this machine',
      { ...PRODUCTION, HUBBUB_AUTHORIZER_URL: 'http://127.0.0.1:4000/', HUBBUB_AUTHORIZER_KEY: STRONG_SECRET },
      [],
    ],
    [
      'a suite without forward secrecy',
      { ...PRODUCTION, HUBBUB_TLS_CERT_FILE: 'c', HUBBUB_TLS_KEY_FILE: 'k', HUBBUB_TLS_CIPHERS: 'AES128-GCM-SHA256' },
      ['tls_without_forward_secrecy'],
    ],
    ['the default suites', { ...PRODUCTION, HUBBUB_TLS_CERT_FILE: 'c', HUBBUB_TLS_KEY_FILE: 'k' }, []],
    [
      'a short key of the authorizer',
      { ...PRODUCTION, HUBBUB_AUTHORIZER_URL: 'https://auth.example/', HUBBUB_AUTHORIZER_KEY: 'short' },
      ['authorizer_key_weak'],
    ],
  ])('%s', (_, environment, expected) => {
    expect(warningsOf(environment)).toEqual(expected);
  });

  test('and names the change, without a secret', () => {
    const { warnings } = loadConfig({ HUBBUB_JWT_SECRET: 'weak-but-only-mine', HUBBUB_HOST: '0.0.0.0' });
    expect(warnings).toMatchObject([
      {
        message: expect.stringContaining('HUBBUB_HOST=0.0.0.0'),
        change: expect.stringContaining('NODE_ENV=production'),
      },
    ]);
    expect(JSON.stringify(warnings)).not.toContain('weak-but-only-mine');
  });
});
