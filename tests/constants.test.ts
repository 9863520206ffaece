/** Relations of constants of several packages; `apps/presence/test/time-relations.test.ts` has those of presence. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** The number behind `const NAME = …;` in a source file; products of literals and of constants in the same file. */
function constant(file: string, name: string): number {
  const source = readFileSync(`${ROOT}${file}`, 'utf8');
  const [, text] = new RegExp(`const ${name} = ([^;]+);`).exec(source) ?? [];
  if (text === undefined) throw new Error(`${file} has no constant ${name}: correct this test.`);
  return text.split('*').reduce((product, factor) => {
    const literal = factor.trim().replaceAll('_', '');
    return product * (/^\d+(\.\d+)?$/.test(literal) ? Number(literal) : constant(file, factor.trim()));
  }, 1);
}

const EDGE_RENEWALS = ['apps/edge/src/presence/held-lease.ts', 'RENEWALS_PER_LEASE'] as const;
const TERM_RENEWALS = ['packages/server/src/consumer/term.ts', 'RENEWALS_PER_LEASE'] as const;

test.each<[what: string, renewal: readonly [string, string], ttl: readonly [string, string]]>([
  [
    'the namespaces that an edge announces',
    ['apps/edge/src/services/namespace-announcement.ts', 'RENEW_INTERVAL_MS'],
    ['packages/broker/src/namespace-directory.ts', 'ANNOUNCEMENT_TTL_MS'],
  ],
])('%s: renewed within half of the time to live', (_, renewal, ttl) => {
  expect(2 * constant(...renewal)).toBeLessThan(constant(...ttl));
});

test.each<[owner: string, renewals: readonly [string, string]]>([
  ['an edge', EDGE_RENEWALS],
  ['the leader of a group of consumers', TERM_RENEWALS],
])('the lease of %s is renewed at least three times within it', (_, renewals) => {
  expect(constant(...renewals)).toBeGreaterThanOrEqual(3);
});

test('an idempotency key is claimed for longer than the history knows the message', () => {
  const source = readFileSync(`${ROOT}apps/api/src/key-claims.ts`, 'utf8');
  expect(source).toMatch(/CLAIM_TTL_MS = IDEMPOTENCY_WINDOW_MS \+ [1-9]/);
});

test('a client repeats a message only while the history knows it', () => {
  const repeatable = constant('packages/client/src/outbox.ts', 'REPEATABLE_MS');
  expect(repeatable).toBeLessThan(constant('packages/broker/src/history.ts', 'IDEMPOTENCY_WINDOW_MS'));
});

test('a publisher sees a new namespace long before its announcement ends', () => {
  const age = constant('packages/broker/src/namespace-directory.ts', 'NAMESPACE_MAX_AGE_MS');
  expect(10 * age).toBeLessThan(constant('packages/broker/src/namespace-directory.ts', 'ANNOUNCEMENT_TTL_MS'));
});

test('a key set is given up by the timeout before the handshake is', () => {
  const fetching = constant('apps/edge/src/admission/keys/fetch-key-set.ts', 'FETCH_TIMEOUT_MS');
  const [, handshake = ''] =
    /handshakeTimeoutMs: integer\([^)]*\)\s*\.default\(([\d_]+)\)/.exec(
      readFileSync(`${ROOT}packages/config/src/settings/limits.ts`, 'utf8'),
    ) ?? [];
  expect(fetching).toBeLessThan(Number(handshake.replaceAll('_', '')));
});

test('no test has a time limit below the default: on a busy machine it would fail first', () => {
  const folders = ['tests', 'examples/test', ...['apps', 'packages'].flatMap(parent => testFolders(parent))];
  const files = folders.flatMap(folder =>
    readdirSync(ROOT + folder, { recursive: true, encoding: 'utf8' }).map(file => `${folder}/${file}`),
  );
  const limits = files
    .filter(file => file.endsWith('.test.ts'))
    .flatMap(file =>
      [
        ...readFileSync(ROOT + file, 'utf8').matchAll(
          /^\s*\}, (\d[\d_]*)\);$|^.*\btest\b.*\{ timeout: (\d[\d_]*) \}/gm,
        ),
      ].map(([, after, before]) => ({ file, limitMs: Number((after ?? before ?? '').replaceAll('_', '')) })),
    );
  const [, text = ''] = /testTimeout: ([\d_]+)/.exec(readFileSync(`${ROOT}vitest.config.ts`, 'utf8')) ?? [];
  const defaultMs = Number(text.replaceAll('_', ''));
  expect(defaultMs).toBeGreaterThan(0);
  expect(limits.filter(({ limitMs }) => limitMs >= 1000 && limitMs <= defaultMs)).toEqual([]);
});

function testFolders(parent: string): string[] {
  return readdirSync(ROOT + parent)
    .map(name => `${parent}/${name}/test`)
    .filter(folder => existsSync(ROOT + folder));
}
