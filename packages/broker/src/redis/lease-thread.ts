/** Keeps an edge's lease while its event loop is late: starts a thread that renews it over its own connection. */
import { Worker } from 'node:worker_threads';
import type { LeaseKeeper } from '../node-leases.js';
import type { LeaseThreadData } from './lease-thread-main.js';
import { LeaseTimes, sharedNowMs } from './lease-times.js';

export interface LeaseThreadOptions extends Omit<LeaseThreadData, 'times'> {
  /** Called on each failure of the thread or of its connection. */
  onError(error: Error): void;
}

export class LeaseThread implements LeaseKeeper {
  readonly #times = new LeaseTimes();
  readonly #worker: Worker;
  #incarnation = '';

  constructor({ onError, ...options }: LeaseThreadOptions) {
    const workerData: LeaseThreadData = { ...options, times: this.#times.shared };
    this.#worker = new Worker(new URL('./lease-thread-main.js', import.meta.url), {
      workerData,
      // No profiler or loader of the process.
      execArgv: [],
      // It holds next to nothing.
      resourceLimits: { maxYoungGenerationSizeMb: 1 },
    });
    this.#worker.on('message', (message: string) => onError(new Error(message)));
    this.#worker.on('error', onError);
    this.#worker.unref();
  }

  get renewals(): number {
    return this.#times.renewals;
  }

  sinceRenewalMs(): number {
    return sharedNowMs() - this.#times.renewedAtMs;
  }

  noteTurn(): void {
    this.#times.noteTurn(sharedNowMs());
  }

  noteRenewal(incarnation: string, agoMs: number): void {
    this.#times.noteRenewal(sharedNowMs() - Math.ceil(agoMs));
    if (incarnation === this.#incarnation) return;
    this.#incarnation = incarnation;
    this.#worker.postMessage(incarnation);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
