/** Finds k6, or builds it with Go from its module. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../scripts/prepare/terminal.mjs';

/** The version that is built; what is on the PATH may be any of the same major. */
export const K6_VERSION = '2.2.0';
const MODULE = 'go.k6.io/k6/v2';
const OLDEST_MAJOR = 2;
/** k6's own go.mod asks for it. */
const OLDEST_GO = [1, 25];
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/hubbub/', import.meta.url));
const PROGRAM = process.platform === 'win32' ? 'k6.exe' : 'k6';

/**
 * HUBBUB_K6, the PATH, the cache, $GOBIN: the first that is new enough.
 * @returns {{ path: string, version: string } | undefined}
 * @throws {Error} when HUBBUB_K6 is set and is none
 */
export function findK6() {
  const chosen = process.env.HUBBUB_K6;
  if (chosen) {
    const version = versionOf(chosen);
    if (version === undefined) throw new Error(`HUBBUB_K6: ${chosen} is no k6 of version ${OLDEST_MAJOR} or newer.`);
    return { path: chosen, version };
  }
  const places = [PROGRAM, builtPath(), ...(process.env.GOBIN ? [join(process.env.GOBIN, PROGRAM)] : [])];
  for (const path of places) {
    const version = versionOf(path);
    if (version !== undefined) return { path, version };
  }
  return undefined;
}

/** Why k6 is not here and how to get it, in one paragraph. */
export function howToGetK6() {
  return (
    `k6 ${OLDEST_MAJOR} or newer was not found: not in HUBBUB_K6, on the PATH, or in node_modules/.cache/hubbub. Get it from ` +
    `https://grafana.com/docs/k6/latest/set-up/install-k6/ (Debian and Ubuntu: apt-get install k6 from Grafana's repository; macOS: brew install k6; ` +
    `containers: grafana/k6), or install Go ${OLDEST_GO.join('.')} or newer (https://go.dev/dl/) and start this again: it then builds k6 ${K6_VERSION} ` +
    `from its module, once. Or set HUBBUB_K6 to the program.`
  );
}

/** Whether `buildK6` can be tried. */
export function canBuildK6() {
  const { status, stdout } = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' });
  const [, major, minor] = /go(\d+)\.(\d+)/.exec(stdout ?? '') ?? [];
  if (status !== 0 || major === undefined) return false;
  return Number(major) > OLDEST_GO[0] || Number(minor) >= OLDEST_GO[1];
}

/** Builds k6 into the cache, with Go's own progress to be seen. @throws {Error} when Go cannot */
export async function buildK6() {
  const folder = dirname(builtPath());
  const unfinished = join(folder, `${PROGRAM}.unfinished`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // `go install` of a version asks the host of the module itself whether that is deprecated, which fails behind a proxy of modules:
  // a module of our own that requires it builds the same, with the same checksums, and asks nobody else.
  writeFileSync(
    join(folder, 'go.mod'),
    `module hubbub.local/k6\n\ngo ${OLDEST_GO.join('.')}\n\nrequire ${MODULE} v${K6_VERSION}\n`,
  );
  // -x would be too much and silence too little: -v names the packages as they are compiled.
  const code = await run('go', ['build', '-v', '-mod=mod', '-o', unfinished, MODULE], {
    cwd: folder,
    env: { ...process.env, GOFLAGS: '', CGO_ENABLED: '0' },
  });
  if (code !== 0) throw new Error(`k6 could not be built; Go says why above. ${howToGetK6()}`);
  renameSync(unfinished, builtPath());
  return { path: builtPath(), version: K6_VERSION };
}

function builtPath() {
  return join(CACHE, `k6-v${K6_VERSION}`, PROGRAM);
}

function versionOf(path) {
  if (path.includes('/') && !existsSync(path)) return undefined;
  const { status, stdout } = spawnSync(path, ['version'], { encoding: 'utf8' });
  const [, version, major] = /^k6(?:\.exe)? v((\d+)\.\S+)/.exec(stdout ?? '') ?? [];
  return status === 0 && Number(major) >= OLDEST_MAJOR ? version : undefined;
}
