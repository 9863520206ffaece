/** Processes of a tool or a test: spawned, observed, signaled, and always ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { adopt } from './children.js';
import { ProcessOutput } from './process-output.js';

const TERMINATE_WITHIN_MS = 5000;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface SpawnOptions {
  /** Its name in errors. */
  readonly name: string;
  /** Default: the environment of this process, without settings of Hubbub. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly cwd?: string | undefined;
  /** Cores such as `0` or `1-3`, chosen with taskset. Default: any. */
  readonly cpus?: string | undefined;
  /** The limit of open files. Default: that of this process. */
  readonly descriptors?: number | undefined;
  /** Whether it leads its own process group, as under a shell: `process.kill(-pid, …)` signals it and its children. */
  readonly ownGroup?: boolean | undefined;
  /** Whether it exchanges messages with this process. */
  readonly ipc?: boolean | undefined;
}

const living = new Set<ManagedProcess>();

/** The processes that run now. */
export function livingProcesses(): Iterable<ManagedProcess> {
  return living;
}

export class ManagedProcess {
  readonly output = new ProcessOutput();
  readonly exited: Promise<Exit>;
  #endExpected = false;

  constructor(
    readonly name: string,
    readonly child: ChildProcess,
  ) {
    adopt(child);
    living.add(this);
    if (child.stdout) this.output.read(child.stdout, 'stdout');
    if (child.stderr) this.output.read(child.stderr, 'stderr');
    child.on('error', error => this.output.add(error.message, 'stderr')); // `close` follows.
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

  get isRunning(): boolean {
    return living.has(this);
  }

  /** Whether nothing of this kit has ended it. */
  get endedByItself(): boolean {
    return !this.isRunning && !this.#endExpected;
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

  /** Ends it in order, or with SIGKILL if that takes too long. */
  async terminate(): Promise<Exit> {
    const timer = setTimeout(() => this.child.kill('SIGKILL'), TERMINATE_WITHIN_MS);
    const exit = await this.kill('SIGTERM');
    clearTimeout(timer);
    return exit;
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
    const { endedByItself } = this;
    const exit = await this.kill();
    if (endedByItself) {
      throw new Error(`${this.name} ended by itself with ${exit.code ?? exit.signal}:\n${this.output.tail()}`);
    }
  }
}

/** Spawns a program with the options of `SpawnOptions`; it ends with this process at the latest. */
export function spawnChild(command: readonly string[], options: SpawnOptions): ChildProcess {
  const { env = cleanEnvironment(), cwd, cpus, descriptors, ownGroup = false, ipc = false } = options;
  const [file = '', ...args] = [
    ...(descriptors === undefined ? [] : ['/bin/sh', '-c', `ulimit -n ${descriptors}; exec "$@"`, 'sh']),
    ...(cpus === undefined ? [] : ['taskset', '-c', cpus]),
    ...command,
  ];
  const stdio = ['ignore', 'pipe', 'pipe', ...(ipc ? (['ipc'] as const) : [])] as const;
  return spawn(file, args, { env, cwd, detached: ownGroup, stdio: [...stdio] });
}

export function startProgram(command: readonly string[], options: SpawnOptions): ManagedProcess {
  return new ManagedProcess(options.name, spawnChild(command, options));
}

/** Removes the developer's settings, which must not change a run. HUBBUB_TEST_* are kept: they are not settings. */
export function cleanEnvironment(own: Readonly<Record<string, string | undefined>> = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(HUBBUB_(?!TEST_)|VITEST|NODE_ENV$)/.test(name));
  return { ...Object.fromEntries(inherited), ...own };
}

/** Ends this process on a signal as on `process.exit`, so that its children end too. */
export function exitOnSignals(): void {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => process.exit(code));
  }
}
