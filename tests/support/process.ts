/** Real `hubbub` processes of a test: the kit starts them, and they end with the test. */
import { execFile } from 'node:child_process';
import {
  adopt,
  cleanEnvironment,
  HubbubProcess,
  livingProcesses,
  MAIN,
  ROOT,
  type StartHubbubOptions,
  startHubbub,
} from '@hubbub/tools/kit';
import { afterEach } from 'vitest';
import { cleanup, type Scope } from './cleanup.js';

export type { Exit } from '@hubbub/tools/kit';
export { HubbubProcess as TestProcess };

export interface StartProcessOptions extends StartHubbubOptions {
  /** When it stops. Default: that of `cleanup`. */
  readonly scope?: Scope;
}

/** A verdict must not depend on the load of the machine. */
export const STEADY = { HUBBUB_SHED_OVERLOAD: 'false' };

/**
 * Starts `hubbub <args>` and resolves when it is ready. It admits all handshakes, however busy the machine is.
 *
 * @example
 * const edge = await startProcess(['edge'], { env: { HUBBUB_PORT: '0', HUBBUB_ADMIN_PORT: '0', HUBBUB_REDIS_URL: redis.url } });
 */
export function startProcess(
  args: readonly string[],
  { scope, env, ...options }: StartProcessOptions = {},
): Promise<HubbubProcess> {
  const steady = { ...STEADY, ...env };
  return startHubbub(args, { ...options, env: steady, onSpawn: started => cleanup(() => started.stop(), scope) });
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

// The output of the processes explains a failed story, and is gone when the report is read.
afterEach(({ task }) => {
  if (task.result?.state !== 'fail') return;
  for (const { name, output } of livingProcesses()) console.log(`--- last output of ${name}:\n${output.tail()}`);
});
