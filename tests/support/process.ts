/** Real `hubbub` processes: started, awaited, signaled, and always ended. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';
import { adopt } from './children.js';
import { cleanup, type Scope } from './cleanup.js';
import { eventually } from './eventually.js';
import { type LogLine, ProcessOutput } from './process-output.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MAIN = fileURLToPath(new URL('../../apps/hubbub/dist/cli/main.js', import.meta.url));

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface StartProcessOptions {
  /** Its name in errors. Default: its arguments. */
  readonly name?: string;
  /** HUBBUB_* and others. The process inherits no HUBBUB_* variable from the environment of the tests. */
  readonly env?: Readonly<Record<string, string>>;
  /** Resolves when the process counts as started. Default: when its admin port reports ready. */
  readonly readyWhen?: (started: TestProcess) => Promise<unknown>;
  /** A script to run instead of the command line of Hubbub, as a path from the root. */
  readonly script?: string;
  /** The limit of file descriptors. Default: that of the tests. */
  readonly descriptors?: number;
  /** Whether it leads its own process group, as under a shell: `process.kill(-pid, …)` signals it and its children. */
  readonly ownGroup?: boolean;
  /** When it stops. Default: that of `cleanup`. */
  readonly scope?: Scope;
  /** For a process that builds before it listens. */
  readonly listensWithinMs?: number;
}

const living = new Set<TestProcess>();

/** A running process. Ports are real ones, from its log line with `event: 'listening'`. */
export class TestProcess {
  readonly output = new ProcessOutput();
  readonly exited: Promise<Exit>;
  #listening: LogLine | undefined;
  #endExpected = false;

  constructor(
    readonly name: string,
    readonly child: ChildProcess,
  ) {
    adopt(child);
    living.add(this);
    if (child.stdout) this.output.read(child.stdout);
    if (child.stderr) this.output.read(child.stderr);
    this.exited = new Promise(resolve => {
      // `close`, not `exit`: by then all of its output has been read.
      child.once('close', (code, signal) => {
        living.delete(this);
        resolve({ code, signal });
      });
    });
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`${this.name} could not be spawned.`);
    return this.child.pid;
  }

  /** Port for clients. */
  get port(): number {
    return this.#portNamed('port');
  }

  get adminPort(): number {
    return this.#portNamed('adminPort');
  }

  get adminUrl(): string {
    return `http://127.0.0.1:${this.adminPort}`;
  }

  /** Resolves when it listens; rejects with its output if it ends instead. */
  async untilListening(withinMs?: number): Promise<void> {
    const limit = withinMs === undefined ? {} : { withinMs };
    this.#listening = await this.orExit(this.output.waitForLog({ event: 'listening' }, limit));
  }

  /** Resolves when `/readyz` is green. */
  async untilReady(): Promise<void> {
    const green = async () => {
      const answer = await fetch(`${this.adminUrl}/readyz`);
      if (!answer.ok) throw new Error(await answer.text());
      return true;
    };
    await this.orExit(eventually(green, { describe: `${this.name} is ready` }));
  }

  /** The promise, or a rejection with the output of the process as soon as it ends. */
  async orExit<T>(promise: Promise<T>): Promise<T> {
    const ended = this.exited.then(exit => {
      throw new Error(`${this.name} ended with ${exit.code ?? exit.signal}. Last output:\n${this.output.tail()}`);
    });
    return await Promise.race([promise, ended]);
  }

  /** Sends the signal and resolves when the process has ended. `SIGKILL` is a crash, `SIGTERM` an orderly exit. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> {
    this.#endExpected = true;
    this.child.kill(signal);
    return await this.exited;
  }

  /** Freezes it: its connections stay open, but it does not answer. */
  pause(): void {
    this.child.kill('SIGSTOP');
  }

  resume(): void {
    this.child.kill('SIGCONT');
  }

  /** Ends it, and fails if it had ended by itself: no input may end a process. */
  async stop(): Promise<void> {
    const endedByItself = !living.has(this) && !this.#endExpected;
    const exit = await this.kill();
    if (endedByItself) {
      throw new Error(`${this.name} ended by itself with ${exit.code ?? exit.signal}:\n${this.output.tail()}`);
    }
  }

  #portNamed(name: 'port' | 'adminPort'): number {
    const port = this.#listening?.[name];
    if (typeof port !== 'number') throw new Error(`${this.name} has not reported its ${name}.`);
    return port;
  }
}

/**
 * Starts `hubbub <args>` and resolves when it is ready.
 *
 * @example
 * const edge = await startProcess(['edge'], { env: { HUBBUB_PORT: '0', HUBBUB_ADMIN_PORT: '0', HUBBUB_REDIS_URL: redis.url } });
 */
export async function startProcess(args: readonly string[], options: StartProcessOptions = {}): Promise<TestProcess> {
  const program = options.script ?? MAIN;
  const name = options.name ?? `hubbub ${args.join(' ')}`;
  const command = [process.execPath, program, ...args];
  const limited = ['/bin/sh', '-c', `ulimit -n ${options.descriptors}; exec "$@"`, 'sh', ...command];
  const [file = '', ...rest] = options.descriptors === undefined ? command : limited;
  const child = spawn(file, rest, {
    cwd: ROOT,
    env: cleanEnvironment(options.env),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: options.ownGroup ?? false,
  });
  const started = new TestProcess(name, child);
  cleanup(() => started.stop(), options.scope);
  try {
    await started.untilListening(options.listensWithinMs);
    await (options.readyWhen?.(started) ?? started.untilReady());
    return started;
  } catch (error) {
    await started.kill(); // The caller reports the failure, so `stop` must not repeat it.
    throw error;
  }
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `hubbub <args>` to its end: for commands like `token`, and for starts that must fail. */
export function runHubbub(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CommandResult> {
  return new Promise(resolve => {
    const options = { cwd: ROOT, env: cleanEnvironment(env), timeout: 60_000 };
    const child = execFile(process.execPath, [MAIN, ...args], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (child.exitCode ?? -1), stdout, stderr });
    });
    adopt(child);
  });
}

/** Removes the developer's settings, which must not change a test. HUBBUB_TEST_* are kept: they are not settings. */
function cleanEnvironment(own: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(HUBBUB_(?!TEST_)|VITEST|NODE_ENV$)/.test(name));
  return { ...Object.fromEntries(inherited), ...own };
}

// The output of the processes explains a failed story, and is gone when the report is read.
afterEach(({ task }) => {
  if (task.result?.state !== 'fail') return;
  for (const { name, output } of living) console.log(`--- last output of ${name}:\n${output.tail()}`);
});
