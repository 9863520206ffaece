/** docs/redis-contract.md has the header of each Lua script. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FOLDERS = ['packages/broker/lua', 'apps/presence/lua', 'apps/api/lua'];

const page = readFileSync(`${ROOT}docs/redis-contract.md`, 'utf8');
const documented = new Map(
  [...page.matchAll(/\*\*\[`([a-z-]+\.lua)`\]\(\.\.\/([^)]+)\)\*\*\n\n```text\n([\s\S]*?)\n```/g)].map(
    ([, , path = '', header = '']) => [path, header],
  ),
);
const scripts = FOLDERS.flatMap(folder =>
  readdirSync(`${ROOT}${folder}`)
    .filter(name => name.endsWith('.lua'))
    .map(name => `${folder}/${name}`),
);

function headerOf(path: string): string {
  const lines = readFileSync(`${ROOT}${path}`, 'utf8').split('\n');
  const end = lines.findIndex(line => !line.startsWith('--'));
  return lines
    .slice(0, end)
    .map(line => line.slice(3))
    .join('\n');
}

test('the page has every script and no other', () => {
  expect([...documented.keys()].sort()).toEqual([...scripts].sort());
});

test.each(scripts)('%s: the page has its header; copy it there after a change', path => {
  expect(documented.get(path)).toBe(headerOf(path));
});

test.each(scripts.filter(path => !/(event-trim|server-term)\.lua$/.test(path)))(
  '%s: its header names each key and argument that it uses',
  path => {
    const text = readFileSync(`${ROOT}${path}`, 'utf8');
    const header = headerOf(path);
    const code = text
      .split('\n')
      .filter(line => !line.startsWith('--'))
      .join('\n');
    for (const [used, list = '', index = ''] of code.matchAll(/\b(KEYS|ARGV)\[(\d+)\]/g)) {
      const named = [...header.matchAll(new RegExp(`${list}\\[(\\d+)(…?)\\]`, 'g'))];
      const isNamed = named.some(
        ([, from, more]) => Number(from) === Number(index) || (more !== '' && Number(from) <= Number(index)),
      );
      expect(isNamed, `${used} of ${path}`).toBe(true);
    }
  },
);
