/** Real `hubbub` processes, from the built tree: started on free ports, and awaited until they are ready. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.js';
import { cleanEnvironment, ManagedProcess, type SpawnOptions, spawnChild } from './process.js';
import type { LogLine } from './process-output.js';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** The command line of Hubbub. */
export const MAIN = join(ROOT, 'apps/hubbub/dist/cli/main.js');

export interface StartHubbubOptions extends Omit<SpawnOptions, 'name' | 'env'> {
  /** Its name in errors. Default: its arguments. */
  readonly name?: string | undefined;
  /** HUBBUB_* and others. The process inherits no HUBBUB_* variable. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Arguments of Node. */
  readonly nodeArgs?: readonly string[] | undefined;
  /** Resolves when the process counts as started. Default: when its admin port reports ready. */
  readonly readyWhen?: ((started: HubbubProcess) => Promise<unknown>) | undefined;
  /** A script to run instead of the command line of Hubbub, as a path from the root. */
  readonly script?: string | undefined;
  /** For a process that builds before it listens. */
  readonly listensWithinMs?: number | undefined;
  /** Called as soon as the process exists. */
  readonly onSpawn?: ((started: HubbubProcess) => void) | undefined;
}

/** Ports are real ones, from its log line with `event: 'listening'`. */
export class HubbubProcess extends ManagedProcess {
  #listening: LogLine | undefined;

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

  /** Resolves when it listens; rejects with its output if it ends instead. */
  async untilListening(withinMs?: number): Promise<void> {
    const limit = withinMs === undefined ? {} : { withinMs };
    this.#listening = await this.orExit(this.output.waitForLog({ event: 'listening' }, limit));
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

  #portNamed(name: 'port' | 'adminPort'): number {
    const port = this.#listening?.[name];
    if (typeof port !== 'number') throw new Error(`${this.name} has not reported its ${name}.`);
    return port;
  }
}

/**
 * Starts `hubbub <args>` and resolves when it is ready.
 *
 * @example
 * const edge = await startHubbub(['edge'], { env: { HUBBUB_PORT: '0', HUBBUB_ADMIN_PORT: '0', HUBBUB_REDIS_URL: redis.url } });
 */
export async function startHubbub(args: readonly string[], options: StartHubbubOptions = {}): Promise<HubbubProcess> {
  const {
    name = `hubbub ${args.join(' ')}`,
    env,
    nodeArgs = [],
    script = MAIN,
    readyWhen,
    listensWithinMs,
    onSpawn,
    ...spawning
  } = options;
  const command = [process.execPath, ...nodeArgs, script, ...args];
  const child = spawnChild(command, { cwd: ROOT, ...spawning, name, env: cleanEnvironment(env) });
  const started = new HubbubProcess(name, child);
  onSpawn?.(started);
  try {
    await started.untilListening(listensWithinMs);
    await (readyWhen?.(started) ?? started.untilReady());
    return started;
  } catch (error) {
    await started.kill(); // The caller reports the failure, so `stop` must not repeat it.
    throw error;
  }
}

/**
 * Writes a configuration with these namespaces, for HUBBUB_CONFIG. The file lives as long as this process.
 * @param more other sections of the file
 */
export function namespacesFile(namespaces: Readonly<Record<string, object>>, more: object = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'hubbub-config-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'hubbub.json');
  writeFileSync(path, JSON.stringify({ namespaces, ...more }));
  return path;
}
