/** Problems of keys that would admit every client, or none. */
import { describe, expect, test } from 'vitest';
import { loadConfig, usesDevelopmentSecret } from '../src/index.js';
import { problemsOf } from './support/settings.js';

const PRODUCTION = { NODE_ENV: 'production' };
const LONG_SECRET = 'Vn0yX2m4R1tKp8sQ3wEz6uHa9cJf5dLb';
const PEM = '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----';

describe('settings of tokens', () => {
  test.each<[string, NodeJS.ProcessEnv, RegExp]>([
    ['a public key as the secret', { HUBBUB_JWT_SECRET: PEM }, /^HUBBUB_JWT_SECRET: .*HUBBUB_JWT_PUBLIC_KEY_FILES$/],
    ['a public key as a further secret', { HUBBUB_JWT_ACCEPTED_SECRETS: PEM }, /^HUBBUB_JWT_ACCEPTED_SECRETS: .*PEM/],
    [
      'a password in a URL',
      { HUBBUB_JWT_JWKS_URL: 'https://u:p@id.example/jwks' },
      /^HUBBUB_JWT_JWKS_URL: .*password$/,
    ],
    ['an audience that nobody can have', { HUBBUB_JWT_AUDIENCE: '' }, /^HUBBUB_JWT_AUDIENCE: /],
    [
      'a short further secret',
      { ...PRODUCTION, HUBBUB_JWT_SECRET: LONG_SECRET, HUBBUB_JWT_ACCEPTED_SECRETS: 'short' },
      /32 bytes/,
    ],
    [
      'only further secrets',
      { ...PRODUCTION, HUBBUB_JWT_ACCEPTED_SECRETS: LONG_SECRET },
      /^HUBBUB_JWT_SECRET: required/,
    ],
    ['keys that anybody on the way can change', { ...PRODUCTION, HUBBUB_JWT_JWKS_URL: 'http://id.example/' }, /https/],
  ])('%s is a problem', (_, environment, problem) => {
    const problems = problemsOf(environment).join('\n');
    expect(problems).toMatch(problem);
    expect(problems).not.toContain(PEM);
    expect(problems).not.toContain('u:p');
  });

  test.each<[string, NodeJS.ProcessEnv]>([
    ['files', { HUBBUB_JWT_PUBLIC_KEY_FILES: 'a.pem' }],
    ['a key set', { HUBBUB_JWT_JWKS_URL: 'https://id.example/jwks', HUBBUB_JWT_AUDIENCE: 'hub' }],
    ['a key set on this machine', { HUBBUB_JWT_JWKS_URL: 'http://127.0.0.1:1/jwks', HUBBUB_JWT_AUDIENCE: 'hub' }],
  ])('%s need no secret in production', (_, environment) => {
    expect(problemsOf({ ...PRODUCTION, ...environment })).toEqual([]);
  });

  test('the development secret is used where no key is configured, and nowhere else', () => {
    expect(usesDevelopmentSecret(loadConfig({}))).toBe(true);
    for (const environment of [
      { HUBBUB_JWT_SECRET: 'x' },
      { HUBBUB_JWT_ACCEPTED_SECRETS: 'x' },
      { HUBBUB_JWT_PUBLIC_KEY_FILES: 'a.pem' },
      { HUBBUB_JWT_JWKS_URL: 'https://id.example/jwks' },
    ]) {
      expect(usesDevelopmentSecret(loadConfig(environment)), JSON.stringify(environment)).toBe(false);
    }
    expect(usesDevelopmentSecret({ ...loadConfig({}), production: true })).toBe(false);
  });
});
