/** The examples of docs/capacity.md are the output of the command; tests/guides/performance.test.ts compares the tables. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { checksOf } from '../../tools/bench/capacity/checks.mjs';
import { constantsOf } from '../../tools/bench/capacity/constants.mjs';

const page = readFileSync(join(ROOT, 'docs/capacity.md'), 'utf8');
const run = JSON.parse(readFileSync(join(ROOT, 'tools/results/capacity.json'), 'utf8'));
interface Row {
  readonly bytes?: number;
  readonly micros?: number;
  readonly lines?: number;
}

function rowsOf(scenario: string): Row[] {
  return JSON.parse(readFileSync(join(ROOT, `tools/results/${scenario}.json`), 'utf8')).rows;
}

const examples = [...page.matchAll(/```sh\nnpm run plan -- ([^\n]+)\n```\n\n```text\n([\s\S]*?)\n```/g)];

function plan(args: string): string {
  return execFileSync(process.execPath, ['tools/plan/run.mjs', ...args.split(' ')], { cwd: ROOT, encoding: 'utf8' });
}

test('there are examples with 1 and with 10 million sessions', () => {
  const all = examples.map(([, args]) => args).join('\n');
  expect(all).toContain('--sessions 1000000 ');
  expect(all).toContain('--sessions 10000000 ');
});

test.each(examples.map(([, args = '', output = '']) => [args, output]))('npm run plan -- %s', (args, output) => {
  expect(plan(args)).toBe(`${output}\n`);
});

test('the traffic between zones follows from the constants and the first example', () => {
  const { redis, edge } = constantsOf(run);
  const cost = (constant: number | undefined): number => constant ?? Number.NaN;
  const [, edges = ''] = /edges that hold a member of a room +\| ([\d.]+)/.exec(examples[0]?.[2] ?? '') ?? [];
  const [rate, bytes, members, crossing] = [50_000, 200, 10, 2 / 3];
  const megabytes = [
    rate * Number(edges) * (bytes + cost(redis.deliveryBytes)) * crossing,
    rate * (bytes + cost(redis.publishReplicatedBytes)),
    rate * bytes * crossing,
    rate * members * (bytes + cost(edge.deliveryBytes)) * crossing,
  ].map(perSecond => perSecond / 1e6);
  const [toEdges = 0, toReplicas = 0, fromPublishers = 0, toMembers = 0] = megabytes.map(Math.round);
  expect(page).toContain(
    `${toEdges} MB/s cross zones from Redis to the edges, and ${toReplicas} MB/s to the replicas.`,
  );
  expect(page).toContain(`Publishers add ${fromPublishers} MB/s, and members ${toMembers} MB/s.`);
  const terabytes = (megabytes.reduce((sum, part) => sum + part, 0) * 86_400 * 30) / 1e6;
  expect(page).toContain(`Together that is ${Math.round(terabytes)} TB in 30 days.`);
});

test('the figures of proxies and logs are those of their reports', () => {
  const [haproxy, nginx, ecdsa, rsa] = rowsOf('proxies');
  const kilobytes = (bytes = 0): string => `${(bytes / 1000).toFixed(1)} kB`;
  const micros = (row?: Row): string => `${Math.round(row?.micros ?? 0).toLocaleString('en-US')} µs`;
  expect(page).toContain(`memory of the proxy | ${kilobytes(haproxy?.bytes)} | ${kilobytes(nginx?.bytes)} |`);
  expect(page).toContain(`processor time | ${micros(haproxy)} | ${micros(nginx)} |`);
  expect(page).toContain(`ECDSA P-256 key, in addition | ${micros(ecdsa)} |`);
  expect(page).toContain(`RSA 2048 key, in addition | ${micros(rsa)} |`);
  const drain = rowsOf('log-volume').at(-1);
  expect(rowsOf('log-volume').map(({ lines }) => lines)).toEqual([0, 0, 0, drain?.lines]);
  expect(page).toContain(`wrote ${drain?.lines} lines and ${drain?.bytes?.toLocaleString('en-US')} bytes`);
});

test('the command names a wrong option', () => {
  expect(() =>
    execFileSync(process.execPath, ['tools/plan/run.mjs', '--sesions', '1'], { cwd: ROOT, stdio: 'pipe' }),
  ).toThrow(/unknown option '--sesions'/);
});

test('the model predicts the processor time of Redis within 25 % in at least four set-ups, also with several primaries', () => {
  const right = checksOf(run)
    .filter(({ resource }) => resource.startsWith('Redis: processor time'))
    .filter(({ predicted, measured }) => Math.abs(predicted / measured - 1) <= 0.25)
    .map(({ setup }) => setup);
  expect(right.length).toBeGreaterThanOrEqual(4);
  for (const topology of ['one server', 'two shards', 'a Cluster of three primaries'])
    expect(
      right.some(setup => setup.startsWith(topology)),
      topology,
    ).toBe(true);
});
