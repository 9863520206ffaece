/** CONTRIBUTING.md gives a purpose for every package that this repository depends on, and names no other. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { MarkdownPage } from './support/markdown-tables.js';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const FIELDS = ['dependencies', 'devDependencies', 'optionalDependencies'];

/** Each external package with its version, by name. An alias counts as its own package. */
function externalPackages(): Map<string, string> {
  const paths = execFileSync('git', ['ls-files', '*package.json'], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n');
  const manifests = paths.map(path => JSON.parse(readFileSync(ROOT + path, 'utf8')));
  const found = manifests.flatMap(manifest => FIELDS.flatMap(field => Object.entries<string>(manifest[field] ?? {})));
  return new Map(found.filter(([name]) => !name.startsWith('@hubbub/')));
}

test('CONTRIBUTING.md lists every dependency with a purpose, and no other package', () => {
  const section = new MarkdownPage(readFileSync(`${ROOT}CONTRIBUTING.md`, 'utf8')).section(
    'Dependencies, and the reason for each',
  );
  const rows = section.split('\n').filter(line => line.startsWith('| `'));
  const listed = rows.flatMap(row => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name));
  expect(listed.sort()).toEqual([...externalPackages().keys()].sort());
});

test('every version is exact', () => {
  const loose = [...externalPackages()].filter(([, version]) => !/^(npm:@?[\w/-]+@)?\d+\.\d+\.\d+$/.test(version));
  expect(loose).toEqual([]);
});
