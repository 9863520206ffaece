/** The Redis services of a file of `deploy/compose`, run as processes: the same commands and users, with ports in place of hosts. */
import { execFile } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  askRedisOnce,
  cleanEnvironment,
  eventually,
  freePort,
  type ManagedProcess,
  startProgram,
} from '@hubbub/tools/kit';
import { cleanup } from '../../support/cleanup.js';
import { readCompose, readVariant, service, type Variant, variantAddress } from './compose.js';
import { at } from './manifests.js';
import { deployFile } from './proxy.js';
import { writeSecrets } from './secrets.js';

/** Every host is this one: its name resolves, and is not a number. */
const HOST = 'localhost';
const BIND = '127.0.0.1 -::1';
const TIMES = { DOWN_AFTER_MS: '1000', NODE_TIMEOUT_MS: '1500' };

/** Servers of a Redis Cluster also listen on a port 10,000 above, which must be below those of outgoing connections. */
async function freePortWithBus(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (port < 22_700) return port;
  }
}

export class ComposeRedis {
  readonly #compose;
  readonly #folder = mkdtempSync(join(tmpdir(), 'hubbub-compose-'));
  readonly #scripts = join(this.#folder, 'scripts');
  /** Compose mounts its files in /run/secrets. */
  readonly #secrets = join(this.#folder, 'secrets');
  readonly #variant;
  readonly #ports = new Map<string, number>();
  readonly #running = new Map<string, ManagedProcess>();

  private constructor(variant: Variant) {
    this.#variant = variant;
    this.#compose = readVariant(variant);
    cpSync(deployFile('helm/hubbub/files/redis'), this.#scripts, { recursive: true });
    appendFileSync(join(this.#scripts, 'redis.conf'), `bind ${BIND}\nrepl-diskless-sync-delay 0\n`);
    cleanup(() => rmSync(this.#folder, { recursive: true, force: true }));
  }

  static async prepare(variant: Variant): Promise<ComposeRedis> {
    const redis = new ComposeRedis(variant);
    await redis.move();
    return redis;
  }

  /** Gives every host another address, as a restart of all containers does. Existing passwords stay. */
  async move(): Promise<void> {
    for (const name of this.names(/^(redis|sentinel)/)) this.#ports.set(name, await freePortWithBus());
    writeSecrets(this.#secrets, variantAddress(this.#variant));
  }

  names(pattern: RegExp): string[] {
    return Object.keys(at(this.#compose, 'services') ?? {}).filter(name => pattern.test(name));
  }

  /** HUBBUB_REDIS_URL of a role. */
  urlOf(role: 'edge' | 'presence' | 'service'): string {
    return this.#here(this.#secret(`redis-url-${role}`));
  }

  /** The same while `redis` is the only server. */
  urlOfOneServer(role: 'edge' | 'presence'): string {
    const [, login] = /\/\/(.*@)/.exec(this.urlOf(role)) ?? [];
    return `redis://${login}${this.addressOf('redis')}`;
  }

  /** The host and port that other programs know. */
  addressOf(name: string): string {
    const port = this.#ports.get(name);
    if (port === undefined) throw new Error(`There is no service ${name}.`);
    return `${HOST}:${port}`;
  }

  /** Starts services of that name, with the data that they had. Resolves immediately. */
  start(...names: string[]): void {
    for (const name of names) this.#start(name, this.#command(name));
  }

  /** Starts only the service `redis`, as docker-compose.yml has it. */
  startAlone(): void {
    const command = at(service('redis', readCompose()), 'command') as string[];
    this.#start('redis', this.#local(command.map(word => word.replace('127.0.0.1:6379', 'redis:6379'))));
  }

  /** Runs a service that ends by itself. */
  async run(name: string): Promise<string> {
    return await this.#run(name, this.#command(name));
  }

  async isHealthy(name: string): Promise<boolean> {
    const [, ...test] = at(service(name, this.#compose), 'healthcheck', 'test') as string[];
    const port = String(this.#ports.get(name));
    const own = test.map(word => word.replace('127.0.0.1:6379', this.addressOf(name)).replace(/^26379$/, port));
    return await this.#run(name, this.#local(own)).then(
      () => true,
      () => false, // It exits with another code than 0.
    );
  }

  async areHealthy(pattern: RegExp): Promise<boolean> {
    return (await Promise.all(this.names(pattern).map(name => this.isHealthy(name)))).every(Boolean);
  }

  /** Sends a command to the server. */
  async ask(name: string, command: string, ...args: string[]): Promise<unknown> {
    const login = name.startsWith('sentinel') ? '' : `:${this.#secret('redis-password')}@`;
    return await askRedisOnce(`redis://${login}127.0.0.1:${this.#ports.get(name)}`, command, ...args);
  }

  /** Resolves when the output of the container has the text. */
  async prints(name: string, text: string): Promise<void> {
    const output = this.#running.get(name)?.output;
    await eventually(() => output?.tail().includes(text) ?? false, { describe: `${name} prints "${text}"` });
  }

  /** Ends the container immediately. */
  async kill(...names: string[]): Promise<void> {
    await Promise.all(
      names.map(async name => {
        const one = this.#running.get(name);
        if (one?.isRunning) process.kill(-one.pid, 'SIGKILL');
        await one?.exited;
      }),
    );
  }

  /**
   * Ends the container in order: `docker stop` signals its first process only. Returns its last output.
   * @throws {Error} if it exits with another code than 0
   */
  async stop(name: string): Promise<string> {
    const one = this.#running.get(name);
    const exit = await one?.kill('SIGTERM');
    if (exit?.code !== 0) throw new Error(`${name} ended with ${exit?.code ?? exit?.signal}.`);
    return one?.output.tail() ?? '';
  }

  #start(name: string, command: readonly string[]): void {
    const cwd = join(this.#folder, name);
    mkdirSync(cwd, { recursive: true });
    const started = startProgram(command, { name, env: this.#environment(name), cwd, ownGroup: true });
    this.#running.set(name, started);
    cleanup(() => this.kill(name));
  }

  async #run(name: string, command: readonly string[]): Promise<string> {
    const [program = '', ...args] = command;
    return (await promisify(execFile)(program, args, { env: this.#environment(name), timeout: 60_000 })).stdout;
  }

  #environment(name: string): NodeJS.ProcessEnv {
    const own = Object.entries(at(service(name, this.#compose), 'environment') ?? {});
    const here = own.map(([variable, value]) => [variable, String(value).replace('/run/secrets', this.#secrets)]);
    return cleanEnvironment({ BIND, ...TIMES, ...Object.fromEntries(here) });
  }

  #secret(name: string): string {
    return readFileSync(join(this.#secrets, name), 'utf8');
  }

  #command(name: string): string[] {
    return this.#local(at(service(name, this.#compose), 'command') as string[]);
  }

  #local(command: readonly string[]): string[] {
    return command.map(word => this.#here(word.replace('/scripts', this.#scripts)));
  }

  #here(text: string): string {
    return text.replace(/\b((?:redis|sentinel)(?:-\d)?):\d+/g, (_all, name: string) => this.addressOf(name));
  }
}
