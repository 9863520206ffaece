/** The manifests of the packages that are published, and the script that lists them. */
import { execFile, execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { ENGINE_NODES } from '@hubbub/edge';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Bytes, gzipped: the promise of the client's README for its single file. */
const BROWSER_MAX_BYTES = 18_000;

/** The packages that load the engine, which has builds for some versions of Node only. */
const ENGINE_PACKAGES = ['apps/edge', 'apps/hubbub'];
const ENGINE_RANGE = ENGINE_NODES.map(major => `^${major}.${major === 20 ? 19 : 0}.0`).join(' || ');

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports: Readonly<Record<string, { readonly types?: string }>>;
}

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const readManifest = (folder: string): Manifest => JSON.parse(read(join(folder, 'package.json')));
const published = ['packages', 'apps']
  .flatMap(group => readdirSync(join(ROOT, group)).map(name => `${group}/${name}`))
  .filter(folder => readManifest(folder).private !== true);

describe.for(published)('%s', folder => {
  const manifest = readManifest(folder);

  test('has the metadata and the README of a published package', () => {
    expect(manifest).toMatchObject({
      name: expect.stringMatching(/^@hubbub\//),
      description: expect.stringMatching(/\.$/),
      keywords: expect.arrayContaining(['hubbub']),
      license: 'Apache-2.0',
      engines: { node: ENGINE_PACKAGES.includes(folder) ? ENGINE_RANGE : '>=20.19' },
      files: expect.any(Array),
      publishConfig: { access: 'public' },
    });
    expect(read(join(folder, 'README.md'))).toMatch(new RegExp(`^# ${manifest.name}\n`));
  });

  test('exports types with every entry', () => {
    for (const [entry, { types }] of Object.entries(manifest.exports)) expect(types, entry).toMatch(/\.d\.ts$/);
  });
});

test('the single file for browsers imports nothing and stays below 18 kB gzipped', () => {
  const code = read('packages/client/dist/browser/hubbub-client.js');
  expect(code).not.toMatch(/\bfrom\s*["']|\bimport\s*[("']/);
  expect(gzipSync(code).length).toBeLessThan(BROWSER_MAX_BYTES);
});

test('release --dry-run lists every package, with the sources of its maps, and what forbids a release', async () => {
  const output = await new Promise<string>(resolve => {
    execFile(process.execPath, ['scripts/release.mjs', '--dry-run'], { cwd: ROOT }, (_, stdout) => resolve(stdout));
  });
  for (const folder of published)
    expect(output).toMatch(new RegExp(`^${readManifest(folder).name}@\\d.*files.*kB`, 'm'));
  expect(output).toContain('problem: The repository URL of package.json names OWNER');
});

test('only package.json at the root and the page that clones it name the repository', () => {
  const url = JSON.parse(read('package.json')).repository.url.replace('git+', '');
  const files = execFileSync('git', ['grep', '-lF', url], { cwd: ROOT, encoding: 'utf8' });
  expect(files.trim().split('\n').sort()).toEqual(['docs/getting-started.md', 'package.json']);
});
