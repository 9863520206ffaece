/** The processes that an example starts: parts of Hubbub, its service, and a Redis of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { inheritedVariables } from '../service/settings.js';

export interface Child {
  /** The fields of its line `{"event":"listening",…}`. */
  readonly listening: Readonly<Record<string, unknown>>;
  close(): Promise<void>;
}

const KILL_AFTER_MS = 15_000;

/** Resolves when the process reports that it listens. Rejects if it ends before. */
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

export interface ExampleRedis {
  readonly url: string;
  close(): Promise<void>;
}

/** The Redis at `url`, or a private one that stores nothing on disk. @throws {Error} with the program to install */
export async function openRedis(url: string | undefined): Promise<ExampleRedis> {
  if (url !== undefined) return { url, close: async () => {} };
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', tmpdir()];
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise<void>((resolve, reject) => {
    child.once('error', () =>
      reject(
        new Error('--redis needs HUBBUB_REDIS_URL, or redis-server on the PATH (Debian: apt-get install redis-server)'),
      ),
    );
    child.once('exit', code => reject(new Error(`redis-server ended with ${code}`)));
    createInterface({ input: child.stdout }).on('line', line => {
      if (line.includes('Ready to accept connections')) resolve();
    });
  });
  return { url: `redis://127.0.0.1:${port}`, close: () => end(child) };
}

export async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function end(child: ChildProcess): Promise<void> {
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
