/** docs/failures.md: the tests, metrics and alerts that it names are there, by these names. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFileSync(`${ROOT}${path}`, 'utf8');
const page = read('docs/failures.md');

/** `[name](path) "title"` and the further `the same, "title"` behind it: path → titles. */
function namedTests(): Array<readonly [path: string, title: string]> {
  const named: Array<readonly [string, string]> = [];
  let path = '';
  for (const [, link, title] of page.matchAll(/\]\(\.\.\/([\w/.-]+\.test\.ts)\)|"([^"\n]+)"/g)) {
    if (link !== undefined) path = link;
    else if (title !== undefined && path !== '') named.push([path, title]);
  }
  return named;
}

test('every test that it names has that title', () => {
  const named = namedTests();
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter(([path, title]) => !read(path).includes(title))).toEqual([]);
});

test('every row names a test, or repeats the one before', () => {
  const tables = page.split('\n\n').filter(block => block.startsWith('| what fails'));
  const rows = tables.flatMap(table => table.trim().split('\n').slice(2));
  expect(rows.length).toBeGreaterThan(20);
  expect(rows.filter(row => !/\.test\.ts\)|\| the same \|$/.test(row))).toEqual([]);
});

test('its metrics are those of docs/metrics.md, its alerts have a runbook', () => {
  const metrics = read('docs/metrics.md');
  const named = [...page.matchAll(/`(hubbub_[a-z_]+)`/g)].map(([, name = '']) => name);
  expect(named.length).toBeGreaterThan(15);
  expect(named.filter(name => !metrics.includes(`\`${name}\``))).toEqual([]);
  const alerts = [...page.matchAll(/`(Hubbub[A-Z]\w+)`/g)].map(([, name = '']) => name);
  expect(alerts.length).toBeGreaterThan(10);
  expect(alerts.filter(name => !metrics.includes(`runbooks.md#${name.toLowerCase()}`))).toEqual([]);
});

test('the settings that it names exist', () => {
  const settings = read('docs/settings.md');
  const named = [...page.matchAll(/HUBBUB_[A-Z_]+/g)].map(([name]) => name);
  expect(named.filter(name => !settings.includes(`\`${name}\``))).toEqual([]);
});
