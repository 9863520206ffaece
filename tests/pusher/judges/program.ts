/** Programs of others that end by themselves. */
import { spawn } from 'node:child_process';
import { cleanup } from '../../support/cleanup.js';

export interface EndedProgram {
  readonly code: number | null;
  /** Of both outputs. */
  readonly lines: readonly string[];
}

/** Resolves when the program has ended; it ends with the test at the latest. */
export async function startProgram(
  [program = '', ...args]: readonly string[],
  { env, cwd }: { readonly env: Readonly<Record<string, string>>; readonly cwd?: string },
): Promise<EndedProgram> {
  const child = spawn(program, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd !== undefined && { cwd }),
  });
  cleanup(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, lines: output.split('\n').filter(line => line !== '') };
}
