/** Webhooks of the configuration file: their form, and what they need of other settings. */
import { describe, expect, test } from 'vitest';
import { loadConfig, missingWebhookSecrets } from '../src/index.js';
import { problemsOf, withFile } from './support/settings.js';

const SECRET = `whsec_${Buffer.from('a key of twenty-four bytes or more').toString('base64')}`;
const GAME = 'namespaces: { game: { events: [move] } }\n';

/** A file with one webhook. */
const withWebhook = (fields: string, rest = GAME) => withFile(`${rest}webhooks: { shop: { ${fields} } }\n`);
const RIGHT = `url: https://shop.example/hubbub, secrets: [${SECRET}], events: [move]`;

test('a right webhook is as the file has it', () => {
  expect(loadConfig(withWebhook(RIGHT)).webhooks).toEqual({
    shop: { url: 'https://shop.example/hubbub', secrets: [SECRET], events: ['move'] },
  });
});

test('a webhook without secrets has those of the environment; processes that send nothing need none', () => {
  const file = withWebhook('url: https://shop.example/hubbub, lifecycle: ["*"]');
  expect(missingWebhookSecrets(loadConfig({ ...file, HUBBUB_WEBHOOK_SECRETS: SECRET }))).toEqual([]);
  expect(missingWebhookSecrets(loadConfig(file))).toEqual([
    expect.stringMatching(/^webhooks\.shop\.secrets: required where HUBBUB_WEBHOOK_SECRETS/),
  ]);
});

describe('a problem names the place and the right form', () => {
  test.for([
    ['no URL', `secrets: [${SECRET}], events: [move]`, /^webhooks\.shop\.url: expected a URL like https:/],
    ['another protocol', RIGHT.replace('https', 'ftp'), /^webhooks\.shop\.url: expected a URL/],
    [
      'credentials',
      RIGHT.replace('https://', 'https://me:secret@'),
      /^webhooks\.shop\.url: expected a URL .*without user/,
    ],
    [
      'http elsewhere',
      RIGHT.replace('https', 'http'),
      /^webhooks\.shop\.url: expected https.*HUBBUB_WEBHOOK_ALLOW_HTTP/,
    ],
    [
      'a short secret',
      RIGHT.replace(SECRET, 'whsec_c2hvcnQ='),
      /^webhooks\.shop\.secrets.*: expected a list of secrets/,
    ],
    ['no events', `url: https://shop.example, secrets: [${SECRET}]`, /^webhooks\.shop\.events: expected at least one/],
    [
      'an unknown name',
      `${RIGHT}, lifecycle: [room_painted]`,
      /^webhooks\.shop\.lifecycle.*: expected a list of names/,
    ],
    ['a namespace without events', `${RIGHT}, namespaces: [chat]`, /^webhooks\.shop\.events: no namespace/],
    [
      'no memberEvents',
      `${RIGHT}, lifecycle: [member_left]`,
      /^webhooks\.shop\.lifecycle: no namespace .* memberEvents/,
    ],
    ['an unknown field', `${RIGHT}, retries: 3`, /^webhooks\.shop\.retries: unknown setting/],
  ] as const)('%s', ([, fields, problem]) => {
    const [first, ...others] = problemsOf(withWebhook(fields));
    expect(first).toMatch(problem);
    expect(others).toEqual([]);
  });

  test('a name that cannot be part of a group', () => {
    const file = withFile(`${GAME}webhooks: { 'a shop': { ${RIGHT} } }\n`);
    expect(problemsOf(file)).toEqual([expect.stringMatching(/webhooks\.a shop: .*expected a name/)]);
  });
});

test('http is right on this machine, and elsewhere if the setting allows it', () => {
  expect(problemsOf(withWebhook(RIGHT.replace('https://shop.example', 'http://127.0.0.1:3000')))).toEqual([]);
  const http = withWebhook(RIGHT.replace('https', 'http'));
  expect(problemsOf({ ...http, HUBBUB_WEBHOOK_ALLOW_HTTP: 'true' })).toEqual([]);
});

test('production refuses the published example of a secret', () => {
  const file = withWebhook(RIGHT.replace(SECRET, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'));
  const production = {
    NODE_ENV: 'production',
    HUBBUB_JWT_SECRET: `${Buffer.alloc(48, 'aq3zj7').toString('base64')}xK9`,
  };
  expect(problemsOf({ ...file, ...production }).join('\n')).toMatch(/webhooks\.shop\.secrets: .*published/);
});
