/** The parent's side of one worker: start, requests, shutdown, kill. */
import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Config, childEnvironment } from '@hubbub/config';
import type { MetricValues, Readiness } from '@hubbub/runtime';

/** The parent's requests, and their answers. */
export interface WorkerAnswers {
  readonly readiness: Readiness;
  readonly metrics: MetricValues;
}

export type ParentMessage =
  | { readonly kind: 'ask'; readonly number: number; readonly about: keyof WorkerAnswers }
  /** Drain and end. `announced`: a balancer has to see first that the edge is not ready. */
  | { readonly kind: 'leave'; readonly announced: boolean };

export type WorkerMessage =
  /** It listens. */
  | { readonly kind: 'up' }
  | { readonly kind: 'answer'; readonly number: number; readonly answer: WorkerAnswers[keyof WorkerAnswers] };

/** A worker's part of the limits that follow from the memory of the machine. */
export type WorkerShare = Pick<Config, 'maxSessions' | 'maxTotalBufferedBytes'>;

export interface WorkerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * There is a worker for each core: V8's helper threads would collect the garbage of one worker on the core of another. p99 of
 * messages at half a core was 5 to 9 ms with these flags and 11 to 67 ms without (docs/performance.md).
 */
const ONE_CORE = ['--single-threaded-gc', '--max-semi-space-size=4'];
/** A worker that does not answer for that long is not ready. */
const ANSWER_TIMEOUT_MS = 2000;
const READY_POLL_MS = 50;
const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

export class Worker {
  /** 1, 2, …: the lowest that no living worker has. */
  readonly number: number;
  readonly nodeId: string;
  readonly exited: Promise<WorkerExit>;
  /** Resolves when it listens; rejects when it ends instead. */
  readonly up: Promise<void>;
  readonly startedAtMs = performance.now();
  readonly #child: ChildProcess;
  readonly #questions = new Map<number, (answer: WorkerAnswers[keyof WorkerAnswers] | undefined) => void>();
  #asked = 0;
  #isUp = false;
  #ended = false;

  constructor(number: number, nodeId: string, port: number, share: WorkerShare) {
    this.number = number;
    this.nodeId = nodeId;
    const env = childEnvironment({ nodeId, port, sharedPort: true, ...share });
    const child = fork(MAIN, ['edge', '--as-worker'], {
      env,
      execArgv: [...process.execArgv, ...ONE_CORE],
      // In a process group of its own: a terminal or a supervisor signals the group of the parent, which decides.
      detached: true,
    });
    this.#child = child;
    this.exited = new Promise(resolve => {
      const end = (exit: WorkerExit): void => {
        this.#ended = true;
        for (const settle of this.#questions.values()) settle(undefined);
        resolve(exit);
      };
      child.once('exit', (code, signal) => end({ code, signal }));
      // Could not be spawned, signaled or written to; only the first means that there is no process.
      child.on('error', () => child.pid === undefined && end({ code: null, signal: null }));
    });
    this.up = new Promise((resolve, reject) => {
      child.on('message', (message: WorkerMessage) => {
        if (message.kind === 'answer') return this.#questions.get(message.number)?.(message.answer);
        this.#isUp = true;
        resolve();
      });
      void this.exited.then(({ code, signal }) =>
        reject(new Error(`Worker ${nodeId} ended with ${code ?? signal} before it listened.`)),
      );
    });
    // A caller that does not wait for it gets the end from `exited`.
    this.up.catch(() => {});
  }

  /** `undefined` when it could not be spawned. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** `undefined` when it does not answer. */
  ask<About extends keyof WorkerAnswers>(about: About): Promise<WorkerAnswers[About] | undefined> {
    if (this.#ended || !this.#isUp) return Promise.resolve(undefined);
    const number = ++this.#asked;
    return new Promise(resolve => {
      const settle = (answer: WorkerAnswers[keyof WorkerAnswers] | undefined): void => {
        clearTimeout(timer);
        this.#questions.delete(number);
        resolve(answer as WorkerAnswers[About] | undefined);
      };
      const timer = setTimeout(settle, ANSWER_TIMEOUT_MS, undefined);
      this.#questions.set(number, settle);
      this.#tell({ kind: 'ask', number, about });
    });
  }

  /** Resolves when it listens and is ready. @throws {Error} when it ends, or takes longer than `withinMs`. */
  async untilReady(withinMs: number): Promise<void> {
    const deadlineMs = performance.now() + withinMs;
    await this.up;
    while (!(await this.ask('readiness'))?.ready) {
      if (this.#ended) throw new Error(`Worker ${this.nodeId} ended before it was ready.`);
      if (performance.now() > deadlineMs) throw new Error(`Worker ${this.nodeId} was not ready within ${withinMs} ms.`);
      await delay(READY_POLL_MS);
    }
  }

  /**
   * Asks it to drain and end. One that does not listen yet has no sessions: it is killed.
   * @returns whether it was asked; its exit code then reports how it ended
   */
  leave(announced: boolean): boolean {
    if (this.#isUp) this.#tell({ kind: 'leave', announced });
    else this.kill();
    return this.#isUp;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #tell(message: ParentMessage): void {
    // The worker's end reports a channel that has just broken.
    if (this.#child.connected) this.#child.send(message, () => {});
  }
}
