/** The examples of a guide, as programs: code blocks that name their file in the first line, written beside the packages and run. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { adopt } from '../support/children.js';
import { cleanup } from '../support/cleanup.js';
import { eventually } from '../support/eventually.js';
import { ProcessOutput } from '../support/process-output.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface RunningExample {
  readonly lines: readonly string[];
  /** Resolves with the exit code. */
  readonly exited: Promise<unknown>;
  /** Resolves when it has printed this line, or one that matches. */
  says(line: string | RegExp): Promise<string>;
}

export interface GuideExamples {
  /** The files that the guide has, in its order. */
  readonly files: readonly string[];
  /** Those that were run. */
  readonly ran: ReadonlySet<string>;
  /** Runs an example until the test ends, after `setup`, a line of JavaScript. @throws {Error} if the guide lacks the file. */
  run(file: string, args?: readonly string[], setup?: string): Promise<RunningExample>;
}

/** Reads the guide, by its path in the repository; call it in `beforeAll`. */
export async function guideExamples(page: string): Promise<GuideExamples> {
  const text = await readFile(`${ROOT}${page}`, 'utf8');
  const examples = new Map<string, string>();
  for (const [, code = '', file = ''] of text.matchAll(/```js\n(\/\/ (\S+)\n[\s\S]*?)```/g)) examples.set(file, code);
  // Inside the repository, where the packages are found by name.
  const folder = await mkdtemp(`${ROOT}test-results-`);
  cleanup(() => rm(folder, { recursive: true }));
  const ran = new Set<string>();
  return {
    files: [...examples.keys()],
    ran,
    async run(file, args = [], setup = '') {
      const code = examples.get(file);
      if (code === undefined) throw new Error(`${page} has no example ${file}`);
      ran.add(file);
      await writeFile(`${folder}/${file}`, code);
      return start(`${folder}/${file}`, args, setup);
    },
  };
}

function start(path: string, args: readonly string[], setup: string): RunningExample {
  const before = ['--import', `data:text/javascript,${encodeURIComponent(setup)}`];
  const child = spawn(process.execPath, [...before, path, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  adopt(child);
  cleanup(() => child.kill('SIGKILL'));
  const output = new ProcessOutput();
  output.read(child.stdout);
  output.read(child.stderr);
  const fits = (line: string | RegExp) => (reply: string) =>
    line instanceof RegExp ? line.test(reply) : reply === line;
  return {
    lines: output.lines,
    exited: new Promise(resolve => child.once('close', resolve)),
    says: line =>
      eventually(() => output.lines.find(fits(line)), { describe: `it prints ${line}` }).catch(error => {
        throw new Error(`${error.message}; it said:\n${output.tail()}`, { cause: error });
      }),
  };
}
