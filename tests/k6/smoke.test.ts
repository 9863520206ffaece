/** The real smoke scenario, skipped with a reason where k6 is missing: `npm run k6 -- smoke` fetches or builds it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { adopt, metricValue, TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { findK6 } from '../../k6/runner/k6-program.mjs';
import { startCluster, type TestCluster } from '../support/cluster.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
// The test verifies that everything works, not how fast a shared machine is; smoke's own limit is 1 s.
const SHORT = ['--open-s', '1', '--talk-s', '3', '--vus', '1', '--p99-ms', '5000'];
const TIMEOUT_MS = 120_000;
const AS_WHEN_A_THRESHOLD_FAILED = 99;

const k6 = findK6();
const where =
  k6 === undefined
    ? 'SKIPPED, NOT PASSED: k6 is not on this machine (npm run k6 -- smoke builds it where Go is)'
    : `k6 ${k6.version}`;
// The default reporter counts skipped tests and does not name them.
if (k6 === undefined) console.warn(`tests/k6/smoke.test.ts: ${where}`);

test.skipIf(k6 === undefined)(
  `smoke: every message that is sent is read, in JSON and MessagePack [${where}]`,
  { timeout: TIMEOUT_MS },
  async () => {
    const cluster = await startCluster({ edges: 2 });
    const { code, output } = await runLoad(cluster, SHORT);
    expect(output).toContain('All thresholds held.');
    expect(output).toMatch(/10 opened, 0 failed, 0 cut off/);
    expect(code).toBe(0);
  },
);

test.skipIf(k6 === undefined)(
  `smoke: a threshold that does not hold fails the run [${where}]`,
  { timeout: TIMEOUT_MS },
  async () => {
    const cluster = await startCluster({ edges: 1 });
    const { code, output } = await runLoad(cluster, ['--open-s', '1', '--talk-s', '3', '--vus', '1', '--p99-ms', '0']);
    expect(output).toMatch(/FAILED:\s+hubbub_delivery_duration: p\(99\)<0 \(was \d/);
    expect(code).toBe(AS_WHEN_A_THRESHOLD_FAILED);
  },
);

test.skipIf(k6 === undefined)(
  `smoke: messages that do not arrive fail the run [${where}]`,
  { timeout: TIMEOUT_MS },
  async () => {
    const cluster = await startCluster({ edges: 2 });
    const [, second] = cluster.edges;
    const load = runLoad(cluster, ['--open-s', '1', '--talk-s', '6', '--vus', '1']);
    await expect.poll(async () => await sessionsOn(cluster), { timeout: TIMEOUT_MS }).toBe(10);
    await second?.process.kill();
    const { code, output } = await load;
    expect(output).toMatch(/hubbub_messages_lost: count==0 \(was [1-9]/);
    expect(code).toBe(AS_WHEN_A_THRESHOLD_FAILED);
  },
);

async function runLoad(cluster: TestCluster, args: readonly string[]): Promise<{ code: number; output: string }> {
  const urls = cluster.edges.flatMap(({ httpUrl }) => ['--url', httpUrl.replace(/^http/, 'ws')]);
  const child = spawn(process.execPath, [join(ROOT, 'k6/run.mjs'), 'smoke', ...urls, ...args], {
    env: { ...process.env, LOAD_JWT_SECRET: TEST_JWT_SECRET },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  adopt(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', text => (output += text));
  return await new Promise(resolve => child.once('close', code => resolve({ code: code ?? -1, output })));
}

async function sessionsOn(cluster: TestCluster): Promise<number> {
  const counts = await Promise.all(cluster.edges.map(edge => metricValue(edge, 'hubbub_edge_sessions')));
  return counts.reduce((sum, count) => sum + count, 0);
}
