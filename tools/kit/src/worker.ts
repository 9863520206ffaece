/** Processes that execute the orders of a run over IPC: each order is answered, refused, or abandoned in time. */
import { ManagedProcess, type SpawnOptions, spawnChild } from './process.js';

// biome-ignore lint/suspicious/noExplicitAny: each order has a form of its own, which both ends document.
export type Orders = Readonly<Record<string, (order: any) => unknown>>;

export interface WorkerOptions extends SpawnOptions {
  /** The script of the process; it calls `obey`. */
  readonly file: string;
  readonly args?: readonly string[];
  /** Arguments of Node. */
  readonly nodeArgs?: readonly string[];
}

const ORDER_WITHIN_MS = 60_000;
const CLOSE_WITHIN_MS = 5000;

/** The worker's side. The process ends when its parent is gone, or closes it. */
export function obey(orders: Orders): void {
  process.on('message', async ({ id, command, order }: { id: number; command: string; order: unknown }) => {
    try {
      process.send?.({ id, result: await orders[command]?.(order) });
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? error.message : String(error) });
    }
    if (command === 'close') setImmediate(() => process.disconnect());
  });
  process.on('disconnect', () => process.exit());
}

/** The parent's side. */
export class Worker extends ManagedProcess {
  readonly #waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  #lastId = 0;

  static start({ file, args = [], nodeArgs = [], ...options }: WorkerOptions): Worker {
    const command = [process.execPath, ...nodeArgs, file, ...args];
    const worker = new Worker(options.name, spawnChild(command, { ...options, ipc: true }));
    worker.child.on('message', (answer: { id: number; result: never; error?: string }) => {
      const waiting = worker.#waiting.get(answer.id);
      if (answer.error === undefined) waiting?.resolve(answer.result);
      else waiting?.reject(new Error(`${worker.name}: ${answer.error}`));
    });
    return worker;
  }

  /** Sends an order to the function of that name in `obey`, and returns its result. */
  async order<T = unknown>(command: string, order: unknown = {}, withinMs = ORDER_WITHIN_MS): Promise<T> {
    const id = ++this.#lastId;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await this.orExit(
        new Promise<T>((resolve, reject) => {
          const late = new Error(`${this.name} did not ${command} within ${withinMs} ms.`);
          timer = setTimeout(() => reject(late), withinMs);
          this.#waiting.set(id, { resolve, reject });
          this.child.send({ id, command, order }, error => error && reject(error));
        }),
      );
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  /** Ends it in order. */
  async close(): Promise<void> {
    await this.order('close', {}, CLOSE_WITHIN_MS).catch(() => {}); // It has ended, or `terminate` ends it.
    await this.terminate();
  }
}
