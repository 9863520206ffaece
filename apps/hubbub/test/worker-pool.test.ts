/** The pool keeps its number of workers, whenever one of them ends. Its workers are doubles, because real ones end at any time. */

import type { Readiness } from '@hubbub/runtime';
import { eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import type { Worker, WorkerAnswers, WorkerExit } from '../src/workers/worker.js';
import { WorkerPool } from '../src/workers/worker-pool.js';

class WorkerDouble implements Pick<Worker, keyof Worker> {
  readonly number: number;
  readonly nodeId: string;
  readonly pid = undefined;
  readonly startedAtMs = performance.now();
  readonly exited: Promise<WorkerExit>;
  readonly up: Promise<void>;
  isUp = false;
  comeUp!: () => void;
  end!: (exit: WorkerExit) => void;
  isLeaving = false;

  constructor(number: number) {
    this.number = number;
    this.nodeId = `edge-${number}`;
    this.exited = new Promise(resolve => {
      this.end = resolve;
    });
    this.up = new Promise((resolve, reject) => {
      this.comeUp = () => {
        this.isUp = true;
        resolve();
      };
      void this.exited.then(() => reject(new Error(`${this.nodeId} ended`)));
    });
    this.up.catch(() => {});
  }

  /** Its answer to every question; `undefined` if it is too busy. */
  answer: Readiness | undefined;

  async ask<About extends keyof WorkerAnswers>(): Promise<WorkerAnswers[About] | undefined> {
    return this.answer as WorkerAnswers[About] | undefined;
  }

  untilReady(): Promise<void> {
    return this.up;
  }

  leave(): boolean {
    if (!this.isUp) {
      this.kill();
      return false;
    }
    this.isLeaving = true;
    this.end({ code: 0, signal: null });
    return true;
  }

  kill(): void {
    this.end({ code: null, signal: 'SIGKILL' });
  }

  crash(): void {
    this.end({ code: 1, signal: null });
  }
}

function poolOf(count: number) {
  const forked: WorkerDouble[] = [];
  const ended = new Set<WorkerDouble>();
  const logged: string[] = [];
  const log = (fields: object) => void logged.push(Object(fields).event);
  const pool = new WorkerPool({
    count,
    log: { debug: log, info: log, warn: log, error: log },
    fork(number) {
      const worker = new WorkerDouble(number);
      void worker.exited.then(() => ended.add(worker));
      forked.push(worker);
      return worker;
    },
  });
  const fork = async (index: number): Promise<WorkerDouble> =>
    eventually(() => forked[index], { describe: `worker ${index + 1} is started` }) as Promise<WorkerDouble>;
  return { pool, forked, fork, logged, living: () => forked.filter(worker => !ended.has(worker)) };
}

/** Resolves when the pool has handled the end of a worker. */
const settled = () => new Promise(resolve => setImmediate(resolve));

async function startedPool(count: number) {
  const started = poolOf(count);
  const starting = started.pool.start();
  for (const worker of started.forked) worker.comeUp();
  await starting;
  return started;
}

test('a worker that ends before the others listen is replaced', async () => {
  const { pool, forked, fork, living } = poolOf(2);
  const starting = pool.start();
  forked[0]?.comeUp();
  await settled();
  forked[0]?.crash();
  await settled();
  forked[1]?.comeUp();
  await starting;
  (await fork(2)).comeUp();
  expect(living()).toHaveLength(2);
});

test('a worker that ends before it listens fails the start', async () => {
  const { pool, forked } = poolOf(2);
  const starting = pool.start();
  forked[0]?.crash();
  await expect(starting).rejects.toThrow('edge-1 ended');
});

test.each(['before', 'after'] as const)(
  'a worker that crashes while its successor starts leaves no worker too many, where the successor is ready %s the restart',
  async order => {
    const { pool, fork, forked, living, logged } = await startedPool(1);
    pool.replaceAll();
    const successor = await fork(1);
    forked[0]?.crash();
    await settled();
    if (order === 'before') {
      successor.comeUp();
      await settled();
      await eventually(() => logged.includes('worker_not_missing'), { describe: 'the restart finds none missing' });
    } else {
      const restarted = await fork(2);
      restarted.comeUp();
      await settled();
      successor.comeUp();
    }
    await eventually(() => living().length === 1, { describe: 'one worker is left' });
    expect(living()[0]?.isUp).toBe(true);
    await pool.close();
  },
);

test('a replacement that is requested during the start waits for it, and then replaces every worker', async () => {
  const { pool, forked, fork, living } = poolOf(2);
  const starting = pool.start();
  forked[0]?.comeUp();
  await settled();
  pool.replaceAll();
  await settled();
  expect(forked).toHaveLength(2);
  forked[1]?.comeUp();
  await starting;
  (await fork(2)).comeUp();
  (await fork(3)).comeUp();
  await eventually(() => living().length === 2, { describe: 'the first two workers have left' });
  expect(forked.map(({ isLeaving }) => isLeaving)).toEqual([true, true, false, false]);
  await pool.close();
});

test('a replacement that is requested during a start that fails replaces nothing', async () => {
  const { pool, forked } = poolOf(2);
  const starting = pool.start();
  pool.replaceAll();
  forked[0]?.crash();
  await expect(starting).rejects.toThrow('edge-1 ended');
  pool.abandon();
  await settled();
  expect(forked).toHaveLength(2);
});

test('closes with success while a restarted worker does not listen yet', async () => {
  const { pool, forked, fork } = await startedPool(2);
  forked[0]?.crash();
  await fork(2);
  await pool.close();
  expect(forked.map(({ isLeaving }) => isLeaving)).toEqual([false, true, false]);
});

test('closes with failure when a worker that served ends with one', async () => {
  const { pool, forked } = await startedPool(2);
  for (const worker of forked) {
    worker.leave = () => {
      worker.crash();
      return true;
    };
  }
  await expect(pool.close()).rejects.toThrow('edge-1 with 1');
});

describe('the machine', () => {
  const READY = { ready: true, checks: { broker: 'ok' } };
  const RED = { ready: false, checks: { broker: 'no probe returned for 4 s' } };

  async function readinessOf(...answers: (Readiness | undefined)[]): Promise<Readiness> {
    const { pool, forked } = await startedPool(answers.length);
    for (const [index, answer] of answers.entries()) {
      const worker = forked[index];
      if (worker !== undefined) worker.answer = answer;
    }
    const readiness = await pool.readiness();
    pool.abandon();
    return readiness;
  }

  test('is ready while at least half of its workers answer in time', async () => {
    expect(await readinessOf(READY, READY, READY, READY)).toMatchObject({ ready: true });
    expect(await readinessOf(READY, undefined, READY, READY)).toMatchObject({
      ready: true,
      checks: { 'edge-2': 'does not answer', workers: '3 of 4 are ready' },
    });
    expect(await readinessOf(READY, undefined)).toMatchObject({ ready: true });
    expect(await readinessOf(READY, undefined, undefined)).toMatchObject({ ready: false });
    expect(await readinessOf(undefined)).toMatchObject({ ready: false });
  });

  test('is not ready while a worker reports that it is not', async () => {
    expect(await readinessOf(READY, READY, READY, RED)).toMatchObject({
      ready: false,
      checks: { 'edge-4': 'no probe returned for 4 s' },
    });
  });

  test('is ready while a worker that crashed starts again: the others have the port', async () => {
    const { pool, forked, fork } = await startedPool(2);
    for (const worker of forked) worker.answer = READY;
    forked[0]?.crash();
    await fork(2);
    expect(await pool.readiness()).toMatchObject({ ready: true, checks: { workers: '1 of 2 are ready' } });
    await pool.close();
  });

  test('is not ready while it leaves, although its workers still answer', async () => {
    const { pool, forked } = await startedPool(2);
    for (const worker of forked) {
      worker.answer = READY;
      worker.leave = () => true; // It drains.
    }
    const closed = pool.close();
    expect(await pool.readiness()).toMatchObject({ ready: false, checks: { workers: '2 of 2 are ready, leaving' } });
    for (const worker of forked) worker.end({ code: 0, signal: null });
    await closed;
  });
});
