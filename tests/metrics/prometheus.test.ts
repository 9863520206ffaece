/** A real Prometheus scrapes a real cluster to which everything happens: every panel and every alert finds its data. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { adopt, eventually, TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findK6 } from '../../k6/runner/k6-program.mjs';
import { PROVISION_TIMEOUT_MS } from '../support/provision.js';
import { type Asked, alerts, panelExpressions } from './support/expressions.js';
import { type Prometheus, startPrometheus } from './support/prometheus.js';
import { liveThrough } from './support/story.js';
import { startWholeCluster, startWorkers, type WholeCluster } from './support/whole-cluster.js';

/** With one scrape a second; Grafana takes four scrapes. */
const RATE_INTERVAL = '10s';
const K6 = fileURLToPath(new URL('../../k6/run.mjs', import.meta.url));
const SHORT = ['--open-s', '1', '--talk-s', '5', '--vus', '1', '--p99-ms', '20000'];

const k6 = findK6();
if (k6 === undefined) {
  console.warn('tests/metrics/prometheus.test.ts: k6 is not on this machine; its panels are checked by name only');
}

let whole: WholeCluster;
let prometheus: Prometheus;
let fromSeconds = 0;
let toSeconds = 0;
/** Numbers that this Redis does not report: expressions with them are left out, with a warning. */
let missing: readonly string[] = [];

beforeAll(async () => {
  whole = await startWholeCluster({
    edges: 3,
    env: { HUBBUB_MAX_BUFFERED_BYTES: '262144', HUBBUB_DRAIN_WINDOW_MS: '6000' },
  });
  const { cluster, api, webhooks } = whole;
  const workers = await startWorkers(cluster.redis);
  fromSeconds = Date.now() / 1000;
  prometheus = await startPrometheus([
    ...cluster.edges.map(({ nodeId, process }) => ({
      job: 'hubbub-edge',
      instance: nodeId,
      adminPort: process.adminPort,
    })),
    ...cluster.presence.map(({ name, adminPort }) => ({ job: 'hubbub-presence', instance: name, adminPort })),
    { job: 'hubbub-edge', instance: 'workers-1', adminPort: workers.adminPort },
    { job: 'hubbub-api', instance: 'api-1', adminPort: api.process.adminPort },
    { job: 'hubbub-webhooks', instance: 'webhooks-1', adminPort: webhooks.adminPort },
  ]);
  await eventually(async () => Object.values(await prometheus.targets()).every(health => health === 'up'), {
    describe: 'every process is scraped',
  });
  const info = await cluster.redis.cli('INFO', 'stats');
  missing = info.includes('client_output_buffer_limit_disconnections:')
    ? []
    : ['hubbub_redis_output_limit_disconnections_total'];
  if (k6 !== undefined) await runLoad();
  const hasSeen = async (condition: string): Promise<void> => {
    await eventually(async () => (await prometheus.range(condition, fromSeconds, Date.now() / 1000)).length > 0, {
      withinMs: 90_000,
      describe: `Prometheus has seen: ${condition}`,
    });
  };
  await liveThrough(whole, hasSeen);
  // The last one of a chain of recording rules.
  await hasSeen('hubbub:error_ratio:rate3d >= 0');
  toSeconds = Date.now() / 1000;
}, PROVISION_TIMEOUT_MS);

afterAll(() => {
  if (missing.length > 0) console.warn(`not reported by this Redis, and so not checked: ${missing.join(', ')}`);
});

/** k6 writes its measurements to Prometheus; its thresholds may fail on this machine. */
async function runLoad(): Promise<void> {
  const urls = whole.cluster.edges.flatMap(({ httpUrl }) => ['--url', httpUrl.replace(/^http/, 'ws')]);
  const args = ['smoke', ...urls, ...SHORT, '--prometheus', `${prometheus.url}/api/v1/write`];
  const child = spawn(process.execPath, [K6, ...args], {
    env: { ...process.env, LOAD_JWT_SECRET: TEST_JWT_SECRET },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  adopt(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', text => (output += text));
  const code = await new Promise(resolve => child.once('close', resolve));
  if (code !== 0 && code !== 99) throw new Error(`k6 ended with ${code}:\n${output}`);
}

/** Fills in the variables like Grafana: all instances, or the first edge, on which all events happen. */
function filledIn({ board, expression }: Asked): string {
  const values: Record<string, string> = {
    $__rate_interval: RATE_INTERVAL,
    $instance: board === 'edge' ? (expression.includes('_worker') ? 'workers-1' : 'edge-1') : '.+',
    $scenario: '.+',
  };
  return expression.replace(/\$\w+/g, name => values[name] ?? name);
}

/** Whether the series has a number at any second. */
async function hasData(expression: string): Promise<boolean> {
  const series = await prometheus.range(expression, fromSeconds, toSeconds);
  return series.some(({ values }) => values.some(([, value]) => value !== 'NaN'));
}

/** There is no redis_exporter here; tests/metrics/alerts.yml has series like its own. */
function isOfExporterAlone(expression: string): boolean {
  const names = expression.match(/\b(hubbub|redis|process|up)[a-z_]*/g) ?? [];
  return names.length > 0 && names.every(name => name.startsWith('redis_'));
}

const isReported = (expression: string): boolean => !missing.some(name => expression.includes(name));

describe('every expression returns data', () => {
  test.each(panelExpressions().map(asked => [asked.where, asked] as const))('%s', async (_, asked) => {
    if (asked.board === 'k6' && k6 === undefined) return;
    const expression = filledIn(asked);
    expect(expression).not.toContain('$');
    if (isReported(expression)) expect(await hasData(expression), expression).toBe(true);
  });

  const checked = alerts().filter(({ expression }) => !isOfExporterAlone(expression));
  test.each(checked.map(alert => [alert.name, alert] as const))('%s', async (_, { expression }) => {
    // A condition that holds returns 1, another one 0, and one about an absent metric nothing.
    const asNumber = expression
      .replace(/ offset \d+[smh]/g, '') // This Prometheus is a minute old.
      .replace(/\bunless\b/g, 'and')
      .replace(/(==|>|<)\s*(?=[\d(])/g, '$1 bool ');
    expect(asNumber).not.toBe(expression);
    if (isReported(expression)) expect(await hasData(asNumber), asNumber).toBe(true);
  });
});

test('an expression with a wrong name returns no data, so that the tests above can fail', async () => {
  expect(await hasData('hubbub_edge_sesions')).toBe(false);
  expect(await hasData('rate(hubbub_edge_frames_total{kind="ok"}[10s])')).toBe(false);
});

test('an alert fires in Prometheus itself, with its text filled in', async () => {
  const fired = await prometheus.range('ALERTS{alertname="HubbubRoomGaps"}', fromSeconds, toSeconds);
  expect(fired.map(({ metric }) => metric)).toContainEqual(
    expect.objectContaining({ alertstate: 'firing', severity: 'warning', reason: 'no_history' }),
  );
});
