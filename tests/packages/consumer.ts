/** A project outside the repository that installs the packed packages, as a user does. */
import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { adopt } from '@hubbub/tools/kit';
import { cleanup } from '../support/cleanup.js';
import { TestProcess } from '../support/process.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const runFile = promisify(execFile);

export interface Consumer {
  readonly folder: string;
  /** Writes files by their path in the project. */
  write(files: Readonly<Record<string, string>>): Promise<void>;
  /** Runs a command in the project and returns its output. @throws {Error} with its output if it fails. */
  run(command: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<string>;
  /** Runs a tool that the repository has installed: the consumer need not install it again. */
  runTool(script: string, args: readonly string[]): Promise<string>;
  /** Starts a command that serves until the test ends. */
  start(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<TestProcess>;
}

/** Packs every public package and installs all of them, and `others` from the registry; a hook that calls it needs `PROVISION_TIMEOUT_MS`. */
export async function installConsumer(others: readonly string[]): Promise<Consumer> {
  const consumer = await openProject(join(tmpdir(), 'hubbub-consumer-'));
  const { folder } = consumer;
  await run(ROOT, process.execPath, ['scripts/pack.mjs', '--to', join(folder, 'tarballs')]);
  await writeFile(join(folder, 'package.json'), '{ "private": true }');
  const tarballs = (await readdir(join(folder, 'tarballs'))).map(name => `./tarballs/${name}`);
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  await run(folder, 'npm', ['install', ...quiet, ...tarballs, ...others]);
  return consumer;
}

/** An empty project in a new folder whose path begins with `prefix`. */
export async function openProject(prefix: string): Promise<Consumer> {
  const folder = await mkdtemp(prefix);
  cleanup(() => rm(folder, { recursive: true }));
  return {
    folder,
    write: async files => {
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), text);
      }
    },
    run: (command, args, env) => run(folder, command, args, env),
    runTool: (script, args) => run(folder, process.execPath, [join(ROOT, 'node_modules', script), ...args]),
    start: (command, args, env) => start(folder, command, args, env),
  };
}

async function run(cwd: string, command: string, args: readonly string[], env = {}): Promise<string> {
  try {
    const { stdout, stderr } = await runFile(command, [...args], { cwd, env: cleanEnvironment(env) });
    return stdout + stderr;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
  }
}

async function start(cwd: string, command: string, args: readonly string[], env: object): Promise<TestProcess> {
  const child = spawn(command, [...args], { cwd, env: cleanEnvironment(env), stdio: ['ignore', 'pipe', 'pipe'] });
  adopt(child);
  const started = new TestProcess(`${command} ${args.join(' ')}`, child);
  cleanup(() => started.kill('SIGTERM'));
  await started.untilListening();
  return started;
}

/** Neither settings of the developer nor those that npm and vitest pass to their children. */
function cleanEnvironment(own: object): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(HUBBUB_|npm_|VITEST|NODE_)/i.test(name));
  return { ...Object.fromEntries(kept), ...own };
}
