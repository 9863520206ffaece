/** A `redis-server` or `valkey-server` of our own, in a temporary directory. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { adopt } from './children.js';
import { freePort, type RedisHost } from './redis-host.js';
import { askRedisOnce } from './redis-question.js';

const PORTS_TO_TRY = 20;
const PORT_TAKEN = /address already in use/i;

/** Starts a server on a free port; retries with others if the port is taken before the bind. */
export async function startRedisProgram(path: string, args: readonly string[]): Promise<RedisHost> {
  const directory = await mkdtemp(join(tmpdir(), 'hubbub-redis-'));
  for (let attempt = 1; ; attempt++) {
    const host = new RedisProgram(path, args, directory, await freePort());
    try {
      await host.start();
      return host;
    } catch (error) {
      if (attempt < PORTS_TO_TRY && error instanceof PortTaken) continue;
      await host.dispose();
      throw error;
    }
  }
}

class PortTaken extends Error {}

class RedisProgram implements RedisHost {
  readonly url: string;
  #child: ChildProcess | undefined;

  constructor(
    private readonly path: string,
    private readonly args: readonly string[],
    private readonly directory: string,
    readonly port: number,
  ) {
    this.url = `redis://127.0.0.1:${port}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Only a short outgoing connection can hold the port of a restart: it waits for the end of that. */
  async start(): Promise<void> {
    const isRestart = this.#child !== undefined;
    for (let attempt = 1; ; attempt++) {
      try {
        this.#child = await this.#spawn();
        return;
      } catch (error) {
        if (!isRestart || !(error instanceof PortTaken) || attempt === PORTS_TO_TRY) throw error;
        await sleep(250);
      }
    }
  }

  /** Its output proves that the server on the port is ours. */
  async #spawn(): Promise<ChildProcess> {
    const own = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.directory, '--save', ''];
    const child = spawn(this.path, [...own, ...this.args], { stdio: ['ignore', 'pipe', 'pipe'] });
    adopt(child);
    let output = '';
    await new Promise<void>((resolve, reject) => {
      const read = (chunk: Buffer) => {
        output = (output + chunk).slice(-4000);
        if (output.includes('Ready to accept connections')) resolve();
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.once('error', reject);
      child.once('exit', code => {
        const message = `${this.path} ended with ${code} instead of starting:\n${output}`;
        reject(PORT_TAKEN.test(output) ? new PortTaken(message) : new Error(message));
      });
    });
    await askRedisOnce(this.url, 'PING');
    return child;
  }

  async halt({ keepData }: { keepData: boolean }): Promise<void> {
    // SHUTDOWN SAVE accepts no write after the save; SAVE and a crash would lose such writes. It sends no answer.
    if (keepData) await askRedisOnce(this.url, 'SHUTDOWN', 'SAVE').catch(() => {});
    await this.#end();
    if (!keepData) await rm(join(this.directory, 'dump.rdb'), { force: true });
  }

  async #end(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }

  async pause(): Promise<void> {
    this.#child?.kill('SIGSTOP');
  }

  async resume(): Promise<void> {
    this.#child?.kill('SIGCONT');
  }

  async dispose(): Promise<void> {
    await this.#end();
    await rm(this.directory, { recursive: true, force: true });
  }
}
