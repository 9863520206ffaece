/** A real HAProxy or nginx in front of real edges, run with the configuration that the repository ships. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { adopt, eventually, ProcessOutput } from '@hubbub/tools/kit';
import { cleanup } from '../../support/cleanup.js';
import { findProgram, installPackage, type PackageNames } from '../../support/system-packages.js';

/** Two servers, as the shipped configurations have them. */
export type Upstreams = readonly [Upstream, Upstream];

export interface Upstream {
  /** Port for clients, on 127.0.0.1. */
  readonly port: number;
  readonly adminPort: number;
}

export interface RunningProxy {
  readonly port: number;
  /** `ws://…/ws` */
  readonly wsUrl: string;
  readonly output: ProcessOutput;
  /** Ends it immediately, with all its connections. */
  stop(): Promise<void>;
}

/** A file of `deploy/`. */
export function deployFile(path: string): string {
  return fileURLToPath(new URL(`../../../deploy/${path}`, import.meta.url));
}

/**
 * The path of a program, installed where we may.
 * @throws {Error} one line that names what to install.
 */
export function provisionProgram(program: string, names: PackageNames): string {
  const found = findProgram([program]);
  if (found) return found;
  installPackage(names);
  const installed = findProgram([program]);
  if (installed) return installed;
  throw new Error(`The deployment tests need ${program}: install the package ${names.apt}.`);
}

/** A folder that is removed after the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'hubbub-deploy-'));
  cleanup(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export interface StartProxyOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly port: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly readyWhen: () => Promise<boolean>;
}

/** Starts the program, resolves when it serves, and stops it after the test. */
export async function startProxy({ program, args, port, env, readyWhen }: StartProxyOptions): Promise<RunningProxy> {
  const child = spawn(program, args, { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  adopt(child);
  const output = new ProcessOutput();
  output.read(child.stdout);
  output.read(child.stderr);
  const exited = once(child, 'exit');
  async function stop(): Promise<void> {
    // SIGINT ends master and workers immediately; SIGTERM lets HAProxy wait for its WebSockets.
    child.kill('SIGINT');
    await exited;
  }
  cleanup(stop);
  const ended = exited.then(([code]) => {
    throw new Error(`${program} ended with ${code}:\n${output.tail()}`);
  });
  ended.catch(() => {}); // The race reports it during the start; later the story fails by itself.
  await Promise.race([eventually(readyWhen, { describe: `${program} serves` }), ended]);
  return { port, wsUrl: `ws://127.0.0.1:${port}/ws`, output, stop };
}

/**
 * A port for a configuration, which can be bound again later.
 * It is below the range of outgoing connections on most systems, so that none of them occupies it meanwhile.
 */
export async function ownPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer();
    const isFree = await new Promise<boolean>(resolve => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise(resolve => server.close(resolve));
    return port;
  }
}
