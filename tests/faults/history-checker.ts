/** Records what publishers and members of rooms observe, and has Porcupine (tests/faults/checker) decide whether that was possible. */
import { execFile } from 'node:child_process';
import type { Frame } from '@hubbub/protocol';
import { buildGoProgram } from '../support/go-program.js';

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

/** `undefined` where Go or its modules are missing. */
export const historyChecker = await buildGoProgram('history-checker');

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
