/** The load scenarios, verified without k6: their types, that each is one file for k6, and that the page names them. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Command } from 'commander';
import { afterAll, expect, test } from 'vitest';
import { bundleScenario, scenarioNames } from '../../k6/runner/bundle.mjs';
import { k6Command } from '../../k6/runner/options.mjs';
import { PLANS } from '../../k6/runner/scenarios.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** The size limit of a ConfigMap. */
const CONFIG_MAP_BYTES = 1_048_576;
const dist = mkdtempSync(join(tmpdir(), 'hubbub-k6-test-'));
afterAll(() => rmSync(dist, { recursive: true, force: true }));

test('their types are correct', async () => {
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const run = promisify(execFile)(process.execPath, [compiler, '-p', join(ROOT, 'k6/tsconfig.json')]);
  await run.catch((error: { stdout?: string }) => expect.fail(error.stdout ?? String(error)));
});

test('the runnable scenarios are those in the folder', () => {
  expect(Object.keys(PLANS).sort()).toEqual(scenarioNames());
});

test('all of them together fit into one ConfigMap, and import nothing but k6', async () => {
  const files = await Promise.all(scenarioNames().map(name => bundleScenario(name, dist)));
  const texts = files.map(file => readFileSync(file, 'utf8'));
  for (const text of texts) {
    const imports = [...text.matchAll(/from "([^"]+)"/g)].map(([, name]) => name);
    expect(imports.filter(name => !/^k6(\/|$)/.test(name ?? ''))).toEqual([]);
  }
  expect(texts.join('').length).toBeLessThan(CONFIG_MAP_BYTES);
});

test.for(scenarioNames())('%s reads every setting that its options name', name => {
  const source = readFileSync(join(ROOT, `k6/scenarios/${name}.ts`), 'utf8');
  const read = [...source.matchAll(/'LOAD_([A-Z0-9_]+)'/g)].map(([, setting]) => setting);
  const offered = PLANS[name]?.settings.map(setting => setting.replaceAll('-', '_').toUpperCase()) ?? [];
  expect(offered.filter(setting => !read.includes(setting))).toEqual([]);
});

test('the page has a row for every scenario and every option', () => {
  const page = readFileSync(join(ROOT, 'k6/README.md'), 'utf8');
  for (const [name, { settings }] of Object.entries(PLANS)) {
    expect(page, name).toMatch(new RegExp(`^\\| \`${name}\``, 'm'));
    for (const setting of settings) expect(page, `${name}: --${setting}`).toContain(`\`--${setting}\``);
  }
});

test.for([
  [['nothing-such'], /unknown command 'nothing-such'/],
  [['smoke', '--rate', 'many'], /--rate <n>' argument 'many' is invalid. Expected a whole number/],
  [['smoke', '--churn-ms', '5'], /--churn-ms/],
  [
    ['smoke', '--url', 'http://127.0.0.1'],
    /--url <url>' argument 'http:\/\/127.0.0.1' is invalid. Expected ws:\/\/host:port/,
  ],
] as const)('%s is refused with the valid values', ([args, words]) => {
  const program = new Command().exitOverride().configureOutput({ writeErr() {} });
  k6Command({ run: async () => {}, bundle: async () => {} }, program);
  expect(() => program.parse(args, { from: 'user' })).toThrow(words);
});
