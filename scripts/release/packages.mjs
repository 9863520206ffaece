/** The packages that are published: those of `packages` and `apps` that are not private. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { at, ROOT } from '../prepare/files.mjs';
import { fail } from '../prepare/terminal.mjs';

/** The manifest of every published package. */
export function listPackages() {
  const folders = ['packages', 'apps'].flatMap(group => readdirSync(at(group)).map(name => `${group}/${name}`));
  return folders
    .map(folder => JSON.parse(readFileSync(at(`${folder}/package.json`), 'utf8')))
    .filter(manifest => manifest.private !== true);
}

/** Packs every package, and returns npm's report: name, version, filename, size, files. Ends the process if npm fails. */
export function packPackages(options) {
  const { status, stdout, stderr } = npm(['pack', '--json', ...options, ...workspaceOptions()]);
  if (status !== 0) fail(`npm pack failed:\n${stderr}`);
  const packed = JSON.parse(stdout);
  return Array.isArray(packed) ? packed : Object.values(packed);
}

/** Publishes every package; npm prints its own report. Returns npm's exit code. */
export function publishPackages(options) {
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
