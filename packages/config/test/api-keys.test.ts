/** The keys of the HTTP API: a plain list, or named keys with their limits. */
import { API_OPERATIONS } from '@hubbub/protocol';
import { expect, test } from 'vitest';
import { effectiveSettings, loadConfig } from '../src/index.js';
import { problemsOf, withFile } from './support/settings.js';

const HASH = 'a'.repeat(64);

test('a plain key has every right and is named by its place', () => {
  for (const environment of [{ HUBBUB_API_KEYS: 'one, two' }, withFile('apiKeys: [one, two]\n')]) {
    expect(loadConfig(environment).apiKeys).toEqual([
      { name: 'key-1', key: 'one', operations: API_OPERATIONS },
      { name: 'key-2', key: 'two', operations: API_OPERATIONS },
    ]);
  }
});

test('a file may hold plain and named keys, and hashes', () => {
  const file = `apiKeys:
  - plain
  - { name: billing, key: two, operations: [publish, control], namespaces: [chat, default], maxRequestsPerSecond: 5 }
  - { name: console, sha256: ${HASH}, operations: [read] }
`;
  expect(loadConfig(withFile(file)).apiKeys).toMatchObject([
    { name: 'key-1' },
    { name: 'billing', namespaces: ['chat', 'default'], maxRequestsPerSecond: 5 },
    { name: 'console', sha256: HASH, operations: ['read'] },
  ]);
});

test.each<[string, string, RegExp]>([
  [
    'an unknown operation',
    'name: a, key: b, operations: [write]',
    /^apiKeys\.0\.operations\.0: expected .*read, publish/,
  ],
  ['no operation', 'name: a, key: b, operations: []', /^apiKeys\.0\.operations: expected /],
  ['no list of operations', 'name: a, key: b', /^apiKeys\.0\.operations: expected /],
  ['an empty list of namespaces', 'name: a, key: b, operations: [read], namespaces: []', /namespaces: expected /],
  ['a pattern as namespace', 'name: a, key: b, operations: [read], namespaces: ["*"]', /namespaces\.0: expected /],
  ['no key', 'name: a, operations: [read]', /^HUBBUB_API_KEYS: expected either key or sha256/],
  ['a key and a hash', `name: a, key: b, sha256: ${HASH}, operations: [read]`, /expected either key or sha256/],
  ['a malformed hash', 'name: a, sha256: abc, operations: [read]', /^apiKeys\.0\.sha256: expected /],
  ['a name with spaces', 'name: a b, key: b, operations: [read]', /^apiKeys\.0\.name: expected /],
  ['an unknown field', 'name: a, key: b, operations: [read], rights: []', /^apiKeys\.0\.rights: unknown setting/],
  ['a rate of 0', 'name: a, key: b, operations: [read], maxRequestsPerSecond: 0', /maxRequestsPerSecond: expected /],
])('refuses %s', (_, key, problem) => {
  expect(problemsOf(withFile(`apiKeys: [{ ${key} }]\n`))).toEqual([expect.stringMatching(problem)]);
});

test('refuses two keys of one name', () => {
  const key = (secret: string) => `{ name: a, key: ${secret}, operations: [read] }`;
  expect(problemsOf(withFile(`apiKeys: [${key('one')}, ${key('two')}]\n`))).toEqual([
    expect.stringMatching(/^HUBBUB_API_KEYS: expected a different name/),
  ]);
});

test('never shows a key', () => {
  const environment = withFile(`apiKeys: [{ name: a, key: hidden-key, operations: [read] }, hidden-too]\n`);
  const shown = effectiveSettings(loadConfig(environment), environment).find(({ name }) => name === 'apiKeys');
  expect(JSON.stringify(shown)).not.toContain('hidden');
});
