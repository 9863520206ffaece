/** Finds k6, or builds it with Go from its module. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../scripts/prepare/terminal.mjs';

/** The version to build. A k6 on the PATH may be any version from `OLDEST_MAJOR` on. */
export const K6_VERSION = '2.2.0';
const MODULE = 'go.k6.io/k6/v2';
const OLDEST_MAJOR = 2;
/** k6's own go.mod requires it. */
const OLDEST_GO = [1, 25];
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/hubbub/', import.meta.url));
const PROGRAM = process.platform === 'win32' ? 'k6.exe' : 'k6';

/**
 * Returns the first k6 that is new enough, from HUBBUB_K6, the PATH, the cache and $GOBIN.
 * @returns {{ path: string, version: string } | undefined}
 * @throws {Error} if HUBBUB_K6 is set to another program
 */
export function findK6() {
  const chosen = process.env.HUBBUB_K6;
  if (chosen) {
    const version = versionOf(chosen);
    if (version === undefined) throw new Error(`HUBBUB_K6: ${chosen} is not k6 ${OLDEST_MAJOR} or newer.`);
    return { path: chosen, version };
  }
  const places = [PROGRAM, builtPath(), ...(process.env.GOBIN ? [join(process.env.GOBIN, PROGRAM)] : [])];
  for (const path of places) {
    const version = versionOf(path);
    if (version !== undefined) return { path, version };
  }
  return undefined;
}

/** Explains how to get k6. */
export function howToGetK6() {
  return (
    `k6 ${OLDEST_MAJOR} or newer was not found in HUBBUB_K6, on the PATH, or in node_modules/.cache/hubbub. ` +
    `To install it, see https://grafana.com/docs/k6/latest/set-up/install-k6/ (macOS: brew install k6; containers: grafana/k6). ` +
    `On Debian and Ubuntu, run apt-get install k6 with Grafana's repository. ` +
    `With Go ${OLDEST_GO.join('.')} or newer (https://go.dev/dl/) this command builds k6 ${K6_VERSION} from its module, once. ` +
    `If k6 is elsewhere, set HUBBUB_K6 to its path.`
  );
}

/** Returns whether Go is new enough for `buildK6`. */
export function canBuildK6() {
  const { status, stdout } = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' });
  const [, major, minor] = /go(\d+)\.(\d+)/.exec(stdout ?? '') ?? [];
  if (status !== 0 || major === undefined) return false;
  return Number(major) > OLDEST_GO[0] || Number(minor) >= OLDEST_GO[1];
}

/** Builds k6 into the cache, and shows Go's own progress. @throws {Error} if Go fails */
export async function buildK6() {
  const folder = dirname(builtPath());
  const unfinished = join(folder, `${PROGRAM}.unfinished`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // `go install` of a version contacts the module's own host, which fails behind a module proxy. Our own module that requires
  // k6 builds the same, with the same checksums, through the proxy alone.
  writeFileSync(
    join(folder, 'go.mod'),
    `module hubbub.local/k6\n\ngo ${OLDEST_GO.join('.')}\n\nrequire ${MODULE} v${K6_VERSION}\n`,
  );
  // -v names each package when it is compiled.
  const code = await run('go', ['build', '-v', '-mod=mod', '-o', unfinished, MODULE], {
    cwd: folder,
    env: { ...process.env, GOFLAGS: '', CGO_ENABLED: '0' },
  });
  if (code !== 0) throw new Error(`Building k6 failed; see Go's output above. ${howToGetK6()}`);
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
