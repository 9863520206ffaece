/** Short fuzz runs: the programs of `npm run fuzz`, each with a seed and a cluster of its own (invariant 7). */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { adopt } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { memoryVerdict } from '../../tools/fuzz/report/memory.mjs';
import { MIB } from '../../tools/report/tables.mjs';
import { startRedis } from '../support/redis.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Alone, a run takes 80 s; beside other tests on two cores, more than four minutes. */
const PATIENCE_MS = 600_000;

interface Run {
  readonly code: number | null;
  readonly words: string;
}

/** Runs `node tools/fuzz/run.mjs …` to its end, on the tests' Redis. */
async function fuzz(...args: string[]): Promise<Run> {
  const redis = await startRedis();
  const all = ['tools/fuzz/run.mjs', ...args, '--redis', redis.url, '--prefix', redis.prefix, '--no-report'];
  return await new Promise(resolve => {
    const child = execFile(process.execPath, all, { cwd: ROOT, timeout: PATIENCE_MS }, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, words: `${stdout}\n${stderr}` });
    });
    adopt(child);
  });
}

test(
  'forty thousand bad inputs of every kind harm no session, no process and no memory',
  async () => {
    const { code, words } = await fuzz('--seed', '7', '--inputs', '40000');
    expect(words).toContain('Nothing was violated.');
    expect(words).toMatch(/40,000 inputs in/);
    expect(words).toContain('Memory of edge: flat');
    expect(words).toContain('Memory of presence: flat');
    expect(code).toBe(0);
  },
  PATIENCE_MS,
);

test(
  'clients that connect and leave leave nothing behind',
  async () => {
    const { code, words } = await fuzz('churn', '--clients', '200', '--cycles', '2');
    expect(words).toContain('Nothing was violated.');
    expect(words).toMatch(/1,000 connections came and went/);
    expect(words).toContain('Memory of edge: flat');
    expect(code).toBe(0);
  },
  PATIENCE_MS,
);

test(
  'bad inputs do no harm without Redis either, with everything in one process',
  async () => {
    const words = await new Promise<string>(resolve => {
      const args = ['tools/fuzz/run.mjs', '--embedded', '--seed', '8', '--inputs', '40000', '--no-report'];
      const child = execFile(process.execPath, args, { cwd: ROOT, timeout: PATIENCE_MS }, (_error, stdout, stderr) =>
        resolve(`${stdout}\n${stderr}`),
      );
      adopt(child);
    });
    expect(words).toContain('Nothing was violated.');
    expect(words).toContain('Memory of start: flat');
  },
  PATIENCE_MS,
);

describe('the verdict on memory', () => {
  const held = (heapMib: number, rssMib: number) => ({ heapBytes: heapMib * MIB, rssBytes: rssMib * MIB });
  const countMin = 20_000;

  test('is not measured after too few inputs, whatever the figures', () => {
    const few = { warm: held(20, 80), end: held(60, 300), count: countMin - 1, countMin };
    expect(memoryVerdict(few)).toMatchObject({ verdict: 'not measured' });
  });

  test('is not measured in a run that ends within its warm-up', () => {
    expect(memoryVerdict({ warm: undefined, end: held(60, 300), count: 50_000, countMin })).toMatchObject({
      verdict: 'not measured',
    });
  });

  test.for([
    ['flat', held(21, 110)],
    ['grows', held(23, 80)],
    ['grows', held(20, 113)],
  ] as const)('is "%s" after enough inputs', ([verdict, end]) => {
    expect(memoryVerdict({ warm: held(20, 80), end, count: countMin, countMin })).toMatchObject({ verdict });
  });
});
