/** The programs of a page, run as they are written: samples that name their file in the first line. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { adopt, eventually, ProcessOutput } from '@hubbub/tools/kit';
import { cleanup } from '../support/cleanup.js';
import { STEADY } from '../support/process.js';
import { samplesOf } from '../support/samples.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Samples with these names must run; a test that does not run one of its page fails. */
const RUNNABLE: ReadonlySet<string> = new Set(['.mjs', '.ts', '.html', '.php', '.py']);

export interface RunOptions {
  /** The program that runs it. Default: Node. */
  readonly interpreter?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** JavaScript that Node runs before the program. */
  readonly setup?: string;
}

export interface RunningProgram {
  readonly lines: readonly string[];
  /** Resolves with the exit code. */
  readonly exited: Promise<unknown>;
  /** Resolves when it has printed this line, or one that matches. */
  says(line: string | RegExp): Promise<string>;
  /** Resolves with its output when it has ended. @throws {Error} if it failed. */
  ends(): Promise<readonly string[]>;
  /** Sends SIGTERM. */
  stop(): void;
}

export interface Programs {
  readonly folder: string;
  /** Writes a file of the page. `version` counts files of one name, from 0. @throws {Error} if the page lacks it. */
  write(file: string, version?: number): Promise<string>;
  /** Writes a program and runs it until the test ends. */
  run(file: string, args?: readonly string[], options?: RunOptions): Promise<RunningProgram>;
}

/**
 * Reads a page, by its path in the repository; call it in `beforeAll`. The file fails if it runs only a part of the programs.
 * @param into the folder for the files; by default one in the repository, where the packages are found by name
 */
export async function programsOf(page: string, into?: string): Promise<Programs> {
  const samples = samplesOf(page).filter(({ file }) => file !== undefined);
  const unused = new Set(samples.filter(({ file = '' }) => RUNNABLE.has(extname(file))));
  const folder = into ?? (await mkdtemp(`${ROOT}test-results-`));
  if (into === undefined) cleanup(() => rm(folder, { recursive: true }));
  cleanup(() => {
    if (unused.size > 0)
      throw new Error(`${page} has programs that no test ran: ${[...unused].map(({ file }) => file)}`);
  });

  async function write(file: string, version = 0): Promise<string> {
    const sample = samples.filter(one => one.file === file)[version];
    if (sample === undefined) throw new Error(`${page} has no ${file}.`);
    unused.delete(sample);
    const path = join(folder, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, sample.code);
    return path;
  }
  return {
    folder,
    write,
    async run(file, args = [], { interpreter = process.execPath, env, setup } = {}) {
      const before = setup === undefined ? [] : ['--import', `data:text/javascript,${encodeURIComponent(setup)}`];
      return startProgram(interpreter, [...before, await write(file), ...args], env);
    },
  };
}

/** Runs a command until the test ends. */
export function startProgram(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): RunningProgram {
  const child = spawn(command, [...args], {
    env: { ...process.env, ...STEADY, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  adopt(child);
  cleanup(() => child.kill('SIGKILL'));
  const output = new ProcessOutput();
  output.read(child.stdout);
  output.read(child.stderr);
  const exited = new Promise<unknown>(resolve => child.once('close', resolve));
  const fits = (line: string | RegExp) => (reply: string) =>
    line instanceof RegExp ? line.test(reply) : reply === line;
  return {
    lines: output.lines,
    exited,
    says: line =>
      eventually(() => output.lines.find(fits(line)), { describe: `it prints ${line}` }).catch(error => {
        throw new Error(`${error.message}; it printed:\n${output.tail()}`, { cause: error });
      }),
    async ends() {
      const code = await exited;
      if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}:\n${output.tail()}`);
      return output.lines;
    },
    stop: () => void child.kill('SIGTERM'),
  };
}
