/** Real `hubbub` processes: started, waited for, signalled, and always ended. */
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
  /** What errors call it. Default: its arguments. */
  readonly name?: string;
  /** HUBBUB_* and others. Nothing called HUBBUB_* is inherited from whoever runs the tests. */
  readonly env?: Readonly<Record<string, string>>;
  /** When the process counts as started. Default: its admin port says that it is ready. */
  readonly readyWhen?: (started: TestProcess) => Promise<unknown>;
  /** Another program than the command line of Hubbub: a script, as a path from the root. */
  readonly script?: string;
  /** File descriptors that it may open. Default: as many as the tests. */
  readonly descriptors?: number;
  /** It leads a process group of its own, as under a shell: `process.kill(-pid, …)` signals it and its children. */
  readonly ownGroup?: boolean;
  /** When it is stopped, where that is not as `cleanup` has it. */
  readonly scope?: Scope;
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
      // `close`, not `exit`: by then everything it said has been read.
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

  /** Resolves when it listens; rejects with what it said when it ends instead. */
  async untilListening(): Promise<void> {
    this.#listening = await this.orExit(this.output.waitForLog({ event: 'listening' }));
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

  /** The promise, or a rejection with what the process said as soon as it ends. */
  async orExit<T>(promise: Promise<T>): Promise<T> {
    const ended = this.exited.then(exit => {
      throw new Error(`${this.name} ended with ${exit.code ?? exit.signal}. It said last:\n${this.output.tail()}`);
    });
    return await Promise.race([promise, ended]);
  }

  /** Sends the signal and resolves when the process has ended. `SIGKILL` is a crash, `SIGTERM` an orderly leave. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> {
    this.#endExpected = true;
    this.child.kill(signal);
    return await this.exited;
  }

  /** Freezes it: its connections stay, nothing answers. */
  pause(): void {
    this.child.kill('SIGSTOP');
  }

  resume(): void {
    this.child.kill('SIGCONT');
  }

  /** Ends it, and fails when it had ended of its own accord: no input may end a process. */
  async stop(): Promise<void> {
    const endedByItself = !living.has(this) && !this.#endExpected;
    const exit = await this.kill();
    if (endedByItself) {
      throw new Error(`${this.name} ended by itself with ${exit.code ?? exit.signal}:\n${this.output.tail()}`);
    }
  }

  #portNamed(name: 'port' | 'adminPort'): number {
    const port = this.#listening?.[name];
    if (typeof port !== 'number') throw new Error(`${this.name} has not told its ${name}.`);
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
    await started.untilListening();
    await (options.readyWhen?.(started) ?? started.untilReady());
    return started;
  } catch (error) {
    await started.kill(); // Told here, so not once more when it is stopped.
    throw error;
  }
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `hubbub <args>` to its end: for commands like `token`, and for starts that must be refused. */
export function runHubbub(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CommandResult> {
  return new Promise(resolve => {
    const options = { cwd: ROOT, env: cleanEnvironment(env), timeout: 60_000 };
    const child = execFile(process.execPath, [MAIN, ...args], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (child.exitCode ?? -1), stdout, stderr });
    });
    adopt(child);
  });
}

/** What the developer has set must not change a test. HUBBUB_TEST_* are no settings. */
function cleanEnvironment(own: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(HUBBUB_(?!TEST_)|VITEST|NODE_ENV$)/.test(name));
  return { ...Object.fromEntries(inherited), ...own };
}

// A failed story is explained by what its processes said, and they are gone when it is read.
afterEach(({ task }) => {
  if (task.result?.state !== 'fail') return;
  for (const { name, output } of living) console.log(`--- ${name} said last:\n${output.tail()}`);
});
