/** Records what publishers and members of rooms observe, and has Porcupine (tests/faults/checker) decide whether that was possible. */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Frame } from '@hubbub/protocol';
import { provisionGo, titleOf } from '../support/provision.js';

/** One operation on a room; `Operation` of checker/main.go describes the fields. */
export interface Operation {
  readonly room: string;
  readonly kind: 'publish' | 'deliver' | 'loss' | 'recovered' | 'rest';
  readonly member?: string;
  readonly id?: number;
  readonly epoch?: string | undefined;
  readonly offset?: number | undefined;
  readonly call: number;
  readonly return?: number;
}

type Place = Pick<Frame, 'epoch' | 'offset'>;

export class HistoryRecord {
  readonly #operations = new Set<Operation>();
  #tick = 0;

  get operations(): Operation[] {
    return [...this.#operations];
  }

  /** Begins a publish; call the result with its place, or with `unknown`. A refused message was never published. */
  publish(room: string, id: number): (outcome: Place | 'unknown' | 'refused') => void {
    const begun: Operation = { room, kind: 'publish', id, call: ++this.#tick };
    this.#operations.add(begun);
    return outcome => {
      if (outcome === 'unknown') return;
      this.#operations.delete(begun);
      // Without an offset: the room has no history to check.
      if (outcome !== 'refused' && outcome.offset !== undefined) {
        const { epoch, offset } = outcome;
        this.#operations.add({ ...begun, epoch, offset, return: ++this.#tick });
      }
    };
  }

  deliver(room: string, member: string, id: number, { epoch, offset }: Place): void {
    if (offset !== undefined) this.#observe({ room, kind: 'deliver', member, id, epoch, offset });
  }

  notice(room: string, member: string, kind: 'loss' | 'recovered' | 'rest'): void {
    this.#observe({ room, kind, member });
  }

  #observe(operation: Omit<Operation, 'call'>): void {
    const tick = ++this.#tick;
    this.#operations.add({ ...operation, call: tick, return: tick });
  }
}

const SOURCE = fileURLToPath(new URL('checker/', import.meta.url));
const CACHE = fileURLToPath(new URL('../../.cache/', import.meta.url));

/** The checker, built once for each content of its files; `undefined` where Go or its modules are missing. */
export const historyChecker = buildChecker();

function buildChecker(): string | undefined {
  const go = provisionGo();
  const content = createHash('sha256');
  for (const file of ['main.go', 'go.mod', 'go.sum']) content.update(readFileSync(`${SOURCE}${file}`));
  const path = `${CACHE}history-checker-${content.digest('hex').slice(0, 12)}`;
  if (existsSync(path)) return path;
  const options = { cwd: SOURCE, stdio: 'inherit' } as const;
  if (go === undefined || spawnSync(go, ['mod', 'download'], options).status !== 0) {
    titleOf(undefined, 'Go with Porcupine, for the checker of histories,');
    return undefined;
  }
  mkdirSync(CACHE, { recursive: true });
  // Another test worker may build simultaneously.
  const own = `${path}-${process.pid}`;
  execFileSync(go, ['build', '-o', own, '.'], options);
  renameSync(own, path);
  return path;
}

/** One line for each room whose history is not that of one log; none without Go. */
export function checkHistory(operations: readonly Operation[]): Promise<string[]> {
  const path = historyChecker;
  if (path === undefined) return Promise.resolve([]);
  return new Promise((resolve, reject) => {
    const child = execFile(path, (error, stdout, stderr) => {
      if (error) reject(new Error(`The checker of histories failed: ${stderr}`, { cause: error }));
      else resolve(stdout.split('\n').filter(line => line !== ''));
    });
    child.stdin?.end(JSON.stringify(operations));
  });
}
