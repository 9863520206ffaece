/** The fuzzing, short: the same programs as `npm run fuzz`, with a seed, on a cluster of their own (invariant 7). */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { adopt } from '../support/children.js';
import { startRedis } from '../support/redis.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PATIENCE_MS = 240_000;

interface Run {
  readonly code: number | null;
  readonly words: string;
}

/** Runs `node fuzz/run.mjs …` to its end, on the Redis that the tests have found. */
async function fuzz(...args: string[]): Promise<Run> {
  const redis = await startRedis();
  const all = ['fuzz/run.mjs', ...args, '--redis', redis.url, '--prefix', redis.prefix, '--no-report'];
  return await new Promise(resolve => {
    const child = execFile(process.execPath, all, { cwd: ROOT, timeout: PATIENCE_MS }, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, words: `${stdout}\n${stderr}` });
    });
    adopt(child);
  });
}

test(
  'twelve thousand bad inputs of every kind hurt nobody, and what is refused is counted',
  async () => {
    const { code, words } = await fuzz('--seed', '7', '--inputs', '12000');
    expect(words).toContain('Nothing was violated.');
    expect(words).toMatch(/12,000 inputs in/);
    expect(code).toBe(0);
  },
  PATIENCE_MS,
);

test(
  'clients that come and go leave nothing behind',
  async () => {
    const { code, words } = await fuzz('churn', '--clients', '200', '--cycles', '2');
    expect(words).toContain('Nothing was violated.');
    expect(words).toMatch(/1,000 connections came and went/);
    expect(code).toBe(0);
  },
  PATIENCE_MS,
);

test(
  'without Redis, too: everything in one process',
  async () => {
    const words = await new Promise<string>(resolve => {
      const args = ['fuzz/run.mjs', '--embedded', '--seed', '8', '--inputs', '4000', '--no-report'];
      const child = execFile(process.execPath, args, { cwd: ROOT, timeout: PATIENCE_MS }, (_error, stdout, stderr) =>
        resolve(`${stdout}\n${stderr}`),
      );
      adopt(child);
    });
    expect(words).toContain('Nothing was violated.');
  },
  PATIENCE_MS,
);
