/** Installs the dependencies that package-lock.json names, when those in node_modules are others. */
import { readFileSync, writeFileSync } from 'node:fs';
import { at, hashOf, readIfThere } from './files.mjs';
import { fail, run, say, secondsSince } from './terminal.mjs';

const LOCKFILE = at('package-lock.json');
/** npm's own record of what is installed; written last, so it is missing after a broken install. */
const INSTALLED = at('node_modules/.package-lock.json');
/** The installed versions, and their Node: native packages are chosen by its version. */
const STAMP = at('node_modules/.hubbub-install');

export function isInstalled() {
  const lockfile = readFileSync(LOCKFILE, 'utf8');
  const installed = readIfThere(INSTALLED);
  if (installed === undefined) return false;
  const stamp = stampOf(lockfile);
  const stamped = readIfThere(STAMP);
  if (stamped !== undefined) return stamped === stamp;
  if (!agree(JSON.parse(lockfile), JSON.parse(installed))) return false;
  writeFileSync(STAMP, stamp); // Installed by hand, with `npm install`.
  return true;
}

function stampOf(lockfile) {
  return `${hashOf(lockfile)} node ${process.versions.node.split('.')[0]}`;
}

/** Whether every package is there in the version wanted; optional ones, of other platforms, may be missing. */
function agree(wanted, installed) {
  const packages = Object.entries(wanted.packages).filter(([path]) => path.includes('node_modules/'));
  return packages.every(([path, { version, optional }]) => {
    const found = installed.packages[path];
    return found === undefined ? optional === true : found.version === version;
  });
}

export async function install() {
  say('Installing dependencies; the first time this takes a minute …');
  const startedAt = performance.now();
  const code = await npm(['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
  if (code !== 0) fail('The dependencies could not be installed; see the output of npm above.', code);
  writeFileSync(STAMP, stampOf(readFileSync(LOCKFILE, 'utf8')));
  say(`Installed in ${secondsSince(startedAt)}.`);
}

/** The npm that started us, where it did; else the one on the PATH. */
function npm(args) {
  const script = process.env.npm_execpath;
  if (script?.endsWith('.js')) return run(process.execPath, [script, ...args]);
  return run('npm', args, { shell: process.platform === 'win32' });
}
