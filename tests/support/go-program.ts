/** The programs of the tests in Go, each built once for each content of its files. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { provisionGo, titleOf } from './provision.js';

const CACHE = fileURLToPath(new URL('../../.cache/go/', import.meta.url));
const run = promisify(execFile);

/** Without the optimizer: these programs run for less time than it takes. */
const QUICK_BUILD = ['-gcflags=all=-N -l', '-ldflags=-s -w'];
const PROGRAMS = {
  chart: { folder: 'deploy/tools', needs: 'Go with Helm and kubeconform, for the chart,', flags: QUICK_BUILD },
  grafana: { folder: 'metrics/grafana', needs: 'Go with the Grafana SDK, for dashboards,', flags: QUICK_BUILD },
  'history-checker': { folder: 'faults/checker', needs: 'Go with Porcupine, for the checker of histories,', flags: [] },
  'pusher-back-end': { folder: 'pusher/judges/go', needs: "Go with Pusher's server SDK", flags: QUICK_BUILD },
} as const;

export type GoProgram = keyof typeof PROGRAMS;

/**
 * Builds all programs, before tests whose timeouts would suffer from a busy compiler. Takes minutes the first time.
 * A run of single test files does without: each file builds its own program.
 */
export async function buildGoPrograms(): Promise<void> {
  for (const name of Object.keys(PROGRAMS) as GoProgram[]) await buildGoProgram(name);
}

/** The path of the program; `undefined` where Go or its modules are missing, with a notice. */
export async function buildGoProgram(name: GoProgram): Promise<string | undefined> {
  const { folder, needs, flags } = PROGRAMS[name];
  const source = fileURLToPath(new URL(`../${folder}/`, import.meta.url));
  const content = createHash('sha256');
  for (const file of ['main.go', 'go.mod', 'go.sum']) content.update(readFileSync(`${source}${file}`));
  const path = `${CACHE}${name}-${content.digest('hex').slice(0, 12)}`;
  if (existsSync(path)) return path;
  const go = provisionGo();
  const options = { cwd: source, maxBuffer: Number.POSITIVE_INFINITY, env: { ...process.env, CGO_ENABLED: '0' } };
  const hasModules = go !== undefined && (await succeeds(run(go, ['mod', 'download'], options)));
  if (!hasModules) {
    titleOf(undefined, needs);
    return undefined;
  }
  console.log(`Building the program ${name} of the tests, in Go …`);
  mkdirSync(CACHE, { recursive: true });
  // Another test worker may build simultaneously.
  const own = `${path}-${process.pid}`;
  await run(go, ['build', ...flags, '-o', own, '.'], options);
  renameSync(own, path);
  return path;
}

async function succeeds(command: Promise<unknown>): Promise<boolean> {
  return await command.then(
    () => true,
    () => false, // Without a network the modules are missing: the notice names them.
  );
}
