/** Keeps as many workers serving as were asked for: replaces the crashed with backoff, and all of them on request. */
import { setTimeout as delay } from 'node:timers/promises';
import { addUpMetrics, type Logger, type MetricValues, type Readiness } from '@hubbub/runtime';
import type { Worker, WorkerExit } from './worker.js';

/** The part of a worker that the pool uses. */
export type PooledWorker = Pick<Worker, keyof Worker>;

export interface WorkerPoolOptions {
  readonly count: number;
  readonly log: Logger;
  /** Starts the worker with that number. */
  fork(number: number): PooledWorker;
}

const BACKOFF_MIN_MS = 100;
const BACKOFF_MAX_MS = 10_000;
/** A worker that ran for that long did not end because of its start. */
const STABLE_AFTER_MS = 10_000;
/** The time for a replacement to become ready; otherwise the old worker stays. */
const READY_WITHIN_MS = 30_000;

export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  /** All processes, those that leave and those that are not ready yet included. */
  readonly #living = new Set<PooledWorker>();
  /** Those whose end is not asked for. */
  readonly #serving = new Set<PooledWorker>();
  #stopping = false;
  #crashesInARow = 0;
  #restarts = 0;
  #round: Promise<void> | undefined;
  #roundWanted = false;
  #started: Promise<unknown> = Promise.resolve();

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /** Resolves when all listen. @throws {Error} when one of them ends instead: then starting it again would not help. */
  async start(): Promise<void> {
    const workers = Array.from({ length: this.#options.count }, () => this.#fork());
    // Each from when it listens: one that ends before the others do has to be replaced.
    this.#started = Promise.all(workers.map(worker => worker.up.then(() => this.#serve(worker))));
    await this.#started;
  }

  /** Replaces the workers one after the other; asked for during a round, there is another one after it. */
  replaceAll(): void {
    this.#roundWanted = true;
    this.#round ??= this.#rounds().finally(() => {
      this.#round = undefined;
    });
  }

  /** Has all workers drain at the same time. @throws {Error} when one of them did not end well. */
  async close(): Promise<void> {
    this.#stopping = true;
    const ends = [...this.#living].map(async worker => {
      const wasServing = this.#serving.has(worker);
      const wasAsked = worker.leave(true);
      return { worker, isJudged: wasServing && wasAsked, exit: await worker.exited };
    });
    const failed = (await Promise.all(ends)).filter(({ isJudged, exit }) => isJudged && exit.code !== 0);
    const failedWorkers = failed.map(({ worker, exit }) => `${worker.nodeId} with ${exit.code ?? exit.signal}`);
    if (failedWorkers.length > 0) throw new Error(`Workers ended: ${failedWorkers.join(', ')}`);
  }

  /** Ends all processes immediately. */
  abandon(): void {
    this.#stopping = true;
    for (const worker of this.#living) worker.kill();
  }

  /**
   * Ready when at least half of the workers report ready, and none reports that it is not. A busy worker does not
   * cost the clients the whole machine. One that does not hear Redis would close its share of the newcomers.
   */
  async readiness(): Promise<Readiness> {
    const { count } = this.#options;
    const answers = await Promise.all(
      [...this.#serving].map(async worker => ({ nodeId: worker.nodeId, answer: await worker.ask('readiness') })),
    );
    const checks: Record<string, string> = {};
    for (const { nodeId, answer } of answers) {
      checks[nodeId] = answer === undefined ? 'does not answer' : Object.values(answer.checks).join(', ');
    }
    const ready = answers.filter(({ answer }) => answer?.ready).length;
    const isRefusing = answers.some(({ answer }) => answer?.ready === false);
    checks.workers = `${ready} of ${count} are ready${this.#stopping ? ', leaving' : ''}`;
    return { ready: 2 * ready >= count && !isRefusing && !this.#stopping, checks };
  }

  /** The metrics of all living workers added up, and those of the pool. */
  async metrics(): Promise<string> {
    const answers = await Promise.all([...this.#living].map(worker => worker.ask('metrics')));
    return await addUpMetrics([...answers.filter(answer => answer !== undefined), this.#ownMetrics()]);
  }

  #ownMetrics(): MetricValues {
    const workers = 'Worker processes, including those that drain.';
    const restarts = 'Workers that ended unexpectedly and were replaced.';
    return [
      metric('hubbub_edge_workers', 'gauge', workers, this.#living.size),
      metric('hubbub_edge_worker_restarts_total', 'counter', restarts, this.#restarts),
    ];
  }

  #fork(): PooledWorker {
    const taken = new Set([...this.#living].map(({ number }) => number));
    let number = 1;
    while (taken.has(number)) number++;
    const worker = this.#options.fork(number);
    this.#living.add(worker);
    const { nodeId, pid } = worker;
    this.#options.log.info({ event: 'worker_started', worker: nodeId, pid }, `worker ${nodeId} starts`);
    void worker.exited.then(exit => {
      this.#living.delete(worker);
      if (this.#serving.delete(worker) && !this.#stopping) void this.#restart(worker, exit);
    });
    return worker;
  }

  #serve(worker: PooledWorker): void {
    if (this.#living.has(worker)) this.#serving.add(worker);
  }

  #isComplete(): boolean {
    return this.#serving.size >= this.#options.count;
  }

  async #restart(crashed: PooledWorker, { code, signal }: WorkerExit): Promise<void> {
    const { log } = this.#options;
    this.#restarts++;
    const livedMs = performance.now() - crashed.startedAtMs;
    this.#crashesInARow = livedMs < STABLE_AFTER_MS ? this.#crashesInARow + 1 : 0;
    const backoffMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** this.#crashesInARow);
    log.error(
      { event: 'worker_crashed', worker: crashed.nodeId, code, signal, backoffMs },
      `worker ${crashed.nodeId} ended with ${code ?? signal}; another one starts in ${backoffMs} ms`,
    );
    await delay(backoffMs);
    if (this.#stopping) return;
    if (this.#isComplete()) {
      log.info({ event: 'worker_not_missing', worker: crashed.nodeId }, 'a replacement serves instead');
      return;
    }
    const worker = this.#fork();
    this.#serve(worker);
    await worker.up.then(
      () => log.info({ event: 'worker_restarted', worker: worker.nodeId }, `worker ${worker.nodeId} serves`),
      () => {}, // It ended as well, and is replaced in its turn.
    );
  }

  async #rounds(): Promise<void> {
    const { log } = this.#options;
    // A worker that starts may have read the old certificate: it is replaced like the others. `start` reports its failure.
    await this.#started.catch(() => {});
    while (this.#roundWanted && !this.#stopping) {
      this.#roundWanted = false;
      const old = [...this.#serving];
      log.info({ event: 'replacing', workers: old.length }, `replacing ${old.length} workers, one after the other`);
      let replaced = 0;
      for (const worker of old) {
        if (this.#stopping || !(await this.#replace(worker))) break;
        replaced++;
      }
      log.info({ event: 'replaced', workers: replaced }, `${replaced} of ${old.length} workers were replaced`);
    }
  }

  /** @returns whether to continue: false if the new worker does not become ready. */
  async #replace(old: PooledWorker): Promise<boolean> {
    const { log } = this.#options;
    if (!this.#serving.has(old)) return true; // It crashed, and its successor is new already.
    const successor = this.#fork();
    try {
      await successor.untilReady(READY_WITHIN_MS);
    } catch (error) {
      if (this.#stopping) return false;
      successor.kill();
      log.error({ event: 'replacement_failed', worker: old.nodeId, err: error }, 'the old workers stay');
      return false;
    }
    // Where the old one crashed meanwhile and was restarted, the successor is one too many.
    const leaving = this.#serving.delete(old) ? old : this.#isComplete() ? successor : undefined;
    if (leaving !== successor) this.#serve(successor);
    if (leaving === undefined || this.#stopping) return true;
    log.info(
      { event: 'worker_leaves', worker: leaving.nodeId, successor: successor.nodeId },
      `${leaving.nodeId} leaves`,
    );
    // The others serve on, on the same port: no balancer has to see anything.
    leaving.leave(false);
    const { code, signal } = await leaving.exited;
    if (code !== 0)
      log.warn({ event: 'worker_left_badly', worker: leaving.nodeId, code, signal }, 'a worker did not end well');
    return true;
  }
}

function metric(name: string, type: 'gauge' | 'counter', help: string, value: number): object {
  return { name, help, type, aggregator: 'sum', values: [{ labels: {}, value }] };
}
