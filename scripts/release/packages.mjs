/** The packages that are published: those of `packages` and `apps` that are not private. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { at, ROOT } from '../prepare/files.mjs';
import { fail } from '../prepare/terminal.mjs';

/** The manifest of every published package. */
export function listPackages() {
  return listFolders().map(readManifest);
}

function listFolders() {
  const folders = ['packages', 'apps'].flatMap(group => readdirSync(at(group)).map(name => `${group}/${name}`));
  return folders.filter(folder => readManifest(folder).private !== true);
}

function readManifest(folder) {
  return JSON.parse(readFileSync(at(`${folder}/package.json`), 'utf8'));
}

/** Removes what the compiler wrote from sources that no longer exist: it never does so itself. */
function removeStaleOutputs(folder) {
  const dist = at(`${folder}/dist`);
  for (const map of readdirSync(dist, { recursive: true }).filter(path => /\.(js|d\.ts)\.map$/.test(path))) {
    const { sources } = JSON.parse(readFileSync(join(dist, map), 'utf8'));
    if (existsSync(resolve(dist, dirname(map), sources[0]))) continue;
    for (const path of [map, map.slice(0, -'.map'.length)]) rmSync(join(dist, path), { force: true });
  }
}

function prepareFolders() {
  for (const folder of listFolders()) {
    removeStaleOutputs(folder);
    copyFileSync(at('LICENSE'), at(`${folder}/LICENSE`)); // Ignored by git: npm packs only what is in the folder.
  }
}

/** Packs every package, and returns npm's report: name, version, filename, size, files. Ends the process if npm fails. */
export function packPackages(options) {
  prepareFolders();
  const { status, stdout, stderr } = npm(['pack', '--json', ...options, ...workspaceOptions()]);
  if (status !== 0) fail(`npm pack failed:\n${stderr}`);
  const packed = JSON.parse(stdout);
  return Array.isArray(packed) ? packed : Object.values(packed);
}

/** Publishes every package; npm prints its own report. Returns npm's exit code. */
export function publishPackages(options) {
  prepareFolders();
  return npm(['publish', ...options, ...workspaceOptions()], 'inherit').status ?? 1;
}

export function workspaceOptions() {
  return listPackages().flatMap(({ name }) => ['--workspace', name]);
}

function npm(args, stdio = 'pipe') {
  return spawnSync('npm', args, {
    cwd: ROOT,
    encoding: 'utf8',
    stdio,
    maxBuffer: 64 * 1024 * 1024,
    shell: process.platform === 'win32',
  });
}
