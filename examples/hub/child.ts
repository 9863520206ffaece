/** A process that an example starts: it reports in a line of JSON that it listens, and ends on a signal. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { inheritedVariables } from '../service/settings.js';

export interface Child {
  /** The fields of its line `{"event":"listening",…}`. */
  readonly listening: Readonly<Record<string, unknown>>;
  close(): Promise<void>;
}

const KILL_AFTER_MS = 15_000;

/** Rejects when the process ends before it listens. */
export async function startChild(args: readonly string[], variables: Readonly<Record<string, string>>): Promise<Child> {
  const child = spawn(process.execPath, args, {
    env: { ...inheritedVariables(), ...variables },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const listening = await new Promise<Record<string, unknown>>((resolve, reject) => {
    child.once('exit', code => reject(new Error(`${args.join(' ')} ended with ${code} before it listened`)));
    createInterface({ input: child.stdout }).on('line', line => {
      const entry = parse(line);
      if (entry?.event === 'listening') resolve(entry);
    });
  });
  return { listening, close: () => end(child) };
}

export function end(child: ChildProcess): Promise<void> {
  return new Promise(resolve => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    const kill = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
    child.once('exit', () => {
      clearTimeout(kill);
      resolve();
    });
    child.kill('SIGTERM');
  });
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // A line for people.
  }
}
