/** A `redis-server` or `valkey-server` of our own, on 127.0.0.1 and in a temporary directory. */
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis, type RedisOptions } from 'ioredis';
import { type ManagedProcess, startProgram } from './process.js';

/** The data that the next start finds: all, none, or that of the last SAVE. */
export type KeptData = boolean | 'saved';

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** `undefined` if the server is not our process. */
  readonly pid: number | undefined;
  /** Runs one command over a separate connection. */
  ask(command: string, ...args: string[]): Promise<unknown>;
  /** Resolves when the server answers on its former port. */
  start(): Promise<void>;
  /** Ends the server immediately, as a crash does. */
  halt(options: { readonly keepData: KeptData }): Promise<void>;
  /** Freezes the server: connections stay open, but it does not answer. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Ends the server for good and leaves nothing behind. */
  dispose(): Promise<void>;
}

export interface StartRedisOptions {
  /** The program. Default: the first of `REDIS_PROGRAMS` on the PATH. */
  readonly program?: string | undefined;
  /** More arguments, for example `['--maxmemory', '64mb']`. */
  readonly args?: readonly string[] | undefined;
  /** Starts a Sentinel with this configuration instead of a server. */
  readonly sentinelConfig?: string | undefined;
  /** Cores such as `0` or `1-3`. Default: any. */
  readonly cpus?: string | undefined;
}

export const REDIS_PROGRAMS = ['redis-server', 'valkey-server'];
const PORTS_TO_TRY = 20;
const PORT_TAKEN = /address already in use/i;
const READY = /Ready to accept connections|Sentinel ID is/;

/** @throws {Error} if no program is installed */
export function findRedis(): { readonly program: string; readonly version: string } {
  for (const program of REDIS_PROGRAMS) {
    const { status, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
    if (status === 0) return { program, version: `${program} ${/v=(\S+)/.exec(stdout)?.[1] ?? stdout.trim()}` };
  }
  throw new Error('Install redis-server or valkey-server on the PATH; on Debian: apt-get install redis-server.');
}

/** Starts a server on a free port, which keeps nothing; retries with others if the port is taken before the bind. */
export async function startRedis(options: StartRedisOptions = {}): Promise<RedisServer> {
  const { program = findRedis().program, args = [], sentinelConfig, cpus } = options;
  const folder = mkdtempSync(join(tmpdir(), 'hubbub-redis-'));
  for (let attempt = 1; ; attempt++) {
    const server = new RedisProgram({ program, args, sentinelConfig, cpus, folder, port: await freePort() });
    try {
      await server.start();
      return server;
    } catch (error) {
      if (attempt < PORTS_TO_TRY && error instanceof PortTaken) continue;
      await server.dispose();
      throw error;
    }
  }
}

class PortTaken extends Error {}

class RedisProgram implements RedisServer {
  readonly url: string;
  readonly port: number;
  readonly #options;
  #process: ManagedProcess | undefined;

  constructor(options: {
    program: string;
    args: readonly string[];
    sentinelConfig: string | undefined;
    cpus: string | undefined;
    folder: string;
    port: number;
  }) {
    this.#options = options;
    this.port = options.port;
    this.url = `redis://127.0.0.1:${options.port}`;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Only a short outgoing connection can hold the port of a restart: it waits for the end of that. */
  async start(): Promise<void> {
    const isRestart = this.#process !== undefined;
    for (let attempt = 1; ; attempt++) {
      try {
        this.#process = await this.#launch();
        return;
      } catch (error) {
        if (!isRestart || !(error instanceof PortTaken) || attempt === PORTS_TO_TRY) throw error;
        await sleep(250);
      }
    }
  }

  /** Its output proves that the server on the port is ours. */
  async #launch(): Promise<ManagedProcess> {
    const { program, cpus } = this.#options;
    const started = startProgram([program, ...this.#arguments()], { name: 'Redis', cpus });
    const accepts = new Promise<void>(resolve => {
      started.output.onLine(line => READY.test(line) && resolve());
    });
    try {
      await started.orExit(accepts);
    } catch (error) {
      throw PORT_TAKEN.test(started.output.tail()) ? new PortTaken() : error;
    }
    await askRedisOnce(this.url, 'PING');
    return started;
  }

  #arguments(): string[] {
    const { args, sentinelConfig, folder, port } = this.#options;
    const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
    if (sentinelConfig === undefined) return [...own, '--save', '', ...args];
    // A Sentinel writes what it learns into its configuration file.
    const file = join(folder, 'sentinel.conf');
    if (!existsSync(file)) writeFileSync(file, `${sentinelConfig}\n`);
    return [file, '--sentinel', ...own, ...args];
  }

  ask(command: string, ...args: string[]): Promise<unknown> {
    return askRedisOnce(this.url, command, ...args);
  }

  async halt({ keepData }: { readonly keepData: KeptData }): Promise<void> {
    // SHUTDOWN SAVE accepts no write after the save; SAVE and a crash would lose such writes. It sends no answer.
    if (keepData === true) await askRedisOnce(this.url, 'SHUTDOWN', 'SAVE').catch(() => {});
    await this.#process?.kill();
    if (!keepData) rmSync(join(this.#options.folder, 'dump.rdb'), { force: true });
  }

  async pause(): Promise<void> {
    this.#process?.pause();
  }

  async resume(): Promise<void> {
    this.#process?.resume();
  }

  async dispose(): Promise<void> {
    await this.#process?.kill();
    rmSync(this.#options.folder, { recursive: true, force: true });
  }
}

/** A connection that stays silent when its server ends. */
export function connectRedis(url: string, options: RedisOptions = {}): Redis {
  const connection = new Redis(url, options);
  connection.on('error', () => {}); // Commands reject by themselves; without a listener ioredis prints every attempt.
  return connection;
}

/** Runs one command over a separate connection. */
export async function askRedisOnce(url: string, command: string, ...args: string[]): Promise<unknown> {
  const connection = connectRedis(url, { maxRetriesPerRequest: 2 });
  try {
    return await connection.call(command, ...args);
  } finally {
    connection.disconnect();
  }
}

/**
 * Below the range that Linux gives to outgoing connections and to listeners at port 0 (32768 to 60999, ip(7),
 * `ip_local_port_range`). Any program may take a port of that range, and a restarted one finds it taken for minutes.
 */
const PORTS = { from: 20_000, to: 32_000 };
const PORTS_TO_ASK = 50;

/** A port for a program that must know its port before it binds, or bind the same one again. */
export async function freePort(): Promise<number> {
  for (let asked = 0; asked < PORTS_TO_ASK; asked++) {
    const port = randomInt(PORTS.from, PORTS.to);
    if (await isFree(port)) return port;
  }
  throw new Error(`None of ${PORTS_TO_ASK} ports between ${PORTS.from} and ${PORTS.to} is free on this machine.`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const isBound = await new Promise<boolean>(resolve => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (isBound) await new Promise(resolve => server.close(resolve));
  return isBound;
}
