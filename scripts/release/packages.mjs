/** The packages that are published: those of `packages` and `apps` that are not private. */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { at } from '../prepare/files.mjs';
import { fail } from '../prepare/terminal.mjs';

/** The manifest of every published package, as it is published. */
export function listPackages() {
  return listFolders().map(publishedManifest);
}

/** `git+https://…/hubbub.git` */
export function repositoryUrl() {
  return readManifest('.').repository.url;
}

/** The address of the repository for people and for `git clone`. */
export function repositoryPage() {
  return repositoryUrl().replace(/^git\+|\.git$/g, '');
}

function listFolders() {
  const folders = ['packages', 'apps'].flatMap(group => readdirSync(at(group)).map(name => `${group}/${name}`));
  return folders.filter(folder => readManifest(folder).private !== true);
}

function readManifest(folder) {
  return JSON.parse(readFileSync(at(`${folder}/package.json`), 'utf8'));
}

function publishedManifest(folder) {
  return {
    ...readManifest(folder),
    homepage: `${repositoryPage()}#readme`,
    bugs: `${repositoryPage()}/issues`,
    repository: { type: 'git', url: repositoryUrl(), directory: folder },
  };
}

/**
 * Removes from the copy what the compiler wrote from sources that no longer exist: it never does so itself. The sources of
 * bundles are outside the copy.
 */
function removeStaleOutputs(folder, copy) {
  const dist = join(copy, 'dist');
  for (const map of readdirSync(dist, { recursive: true }).filter(path => /\.(js|d\.ts)\.map$/.test(path))) {
    const { sources } = JSON.parse(readFileSync(join(dist, map), 'utf8'));
    if (existsSync(resolve(at(folder), 'dist', dirname(map), sources[0]))) continue;
    for (const path of [map, map.slice(0, -'.map'.length)]) rmSync(join(dist, path), { force: true });
  }
}

/**
 * Copies the packages for npm, because each manifest gets the address of the repository. Two processes may pack
 * simultaneously, so each has its own folder. Returns the folders of the copies.
 */
function copyPackages() {
  mkdirSync(at('.cache'), { recursive: true });
  const copies = mkdtempSync(at('.cache/release-'));
  process.once('exit', () => rmSync(copies, { recursive: true, force: true }));
  return listFolders().map(folder => {
    const copy = join(copies, folder);
    cpSync(at(folder), copy, { recursive: true, filter: path => !/[\\/](node_modules|test)$/.test(path) });
    removeStaleOutputs(folder, copy);
    copyFileSync(at('LICENSE'), join(copy, 'LICENSE'));
    writeFileSync(join(copy, 'package.json'), `${JSON.stringify(publishedManifest(folder), null, 2)}\n`);
    return copy;
  });
}

/** Packs every package, and returns npm's report: name, version, filename, size, files. Ends the process if npm fails. */
export function packPackages(options) {
  const { status, stdout, stderr } = npm(['pack', '--json', ...options, ...copyPackages()]);
  if (status !== 0) fail(`npm pack failed:\n${stderr}`);
  const packed = JSON.parse(stdout);
  return Array.isArray(packed) ? packed : Object.values(packed);
}

/** Publishes every package; npm prints its own report. Returns npm's exit code of the first package that fails. */
export function publishPackages(options) {
  for (const copy of copyPackages()) {
    const { status } = npm(['publish', ...options, copy], 'inherit');
    if (status !== 0) return status ?? 1;
  }
  return 0;
}

function npm(args, stdio = 'pipe') {
  return spawnSync('npm', args, {
    cwd: at('.cache'),
    encoding: 'utf8',
    stdio,
    maxBuffer: 64 * 1024 * 1024,
    shell: process.platform === 'win32',
  });
}
