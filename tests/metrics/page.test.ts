/** docs/metrics.md lists every metric of running processes with its type, labels and values, and no other. */
import { beforeAll, describe, expect, test } from 'vitest';
import { startEmbedded } from '../support/cluster.js';
import { PROVISION_TIMEOUT_MS } from '../support/provision.js';
import { connect } from '../support/raw-client.js';
import { startRedis } from '../support/redis.js';
import { metricsIn, panelExpressions, ruleExpressions } from './support/expressions.js';
import { type DocumentedMetric, readMetricsPage, type Section } from './support/metrics-page.js';
import { promtool } from './support/prometheus.js';
import { type ScrapedMetric, scrape } from './support/scrape.js';
import { startWholeCluster, startWorkers } from './support/whole-cluster.js';

/** The sections of the page about each process. */
const SECTIONS = {
  edge: [
    'Every process',
    'Every process on Redis',
    'Every process with traces',
    'Edge, HTTP API and webhooks on Redis',
    'Edge',
  ],
  presence: ['Every process', 'Every process on Redis', 'Every process with traces', 'Presence', 'Redis'],
  api: [
    'Every process',
    'Every process on Redis',
    'Every process with traces',
    'Edge, HTTP API and webhooks on Redis',
    'HTTP API',
  ],
  webhooks: [
    'Every process',
    'Every process on Redis',
    'Every process with traces',
    'Edge, HTTP API and webhooks on Redis',
    'Webhooks',
  ],
} as const satisfies Record<string, readonly Section[]>;
type ProcessName = keyof typeof SECTIONS;
const PROCESSES = Object.keys(SECTIONS) as ProcessName[];

/** Metrics that cannot be combined for several processes. */
const OF_ONE_PROCESS = ['process_start_time_seconds'];

const documented = readMetricsPage();
const scrapes = new Map<ProcessName, { text: string; metrics: Map<string, ScrapedMetric> }>();

beforeAll(async () => {
  const { cluster, api, webhooks } = await startWholeCluster({ edges: 1 });
  // Namespaces have event metrics, and routes request metrics, after the first of each.
  const client = await connect(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'ada' }) });
  await client.join('game:1');
  await cluster.redis.cli('XGROUP', 'CREATE', `${cluster.redis.prefix}:events:{game}`, 'referee', '0', 'MKSTREAM');
  await client.ask({ type: 'move', room: 'game:1', payload: {} });
  await api.post('/rooms/general/messages', { type: 'said', payload: {} });
  scrapes.set('edge', await scrape(cluster.edge(0).adminUrl));
  scrapes.set('presence', await scrape(cluster.presence[0]?.adminUrl ?? ''));
  scrapes.set('api', await scrape(api.process.adminUrl));
  scrapes.set('webhooks', await scrape(webhooks.adminUrl));
}, PROVISION_TIMEOUT_MS);

const notice = (name: ProcessName) => scrapes.get(name)?.metrics ?? new Map<string, ScrapedMetric>();
const onPage = (sections: readonly string[]): DocumentedMetric[] =>
  documented.filter(({ section }) => sections.includes(section));

describe.each(PROCESSES)('%s', name => {
  test('exports the metrics on the page, and no others', () => {
    const page = onPage(SECTIONS[name]);
    const metrics = [...notice(name).values()];
    expect(metrics.length).toBeGreaterThan(10);
    expect(metrics.map(metric => metric.name).sort()).toEqual(page.map(metric => metric.name).sort());
    expect(Object.fromEntries(metrics.map(metric => [metric.name, [metric.type, metric.help]]))).toEqual(
      Object.fromEntries(page.map(metric => [metric.name, [metric.type, metric.meaning]])),
    );
  });

  test('labels and their values are those of the page', () => {
    for (const { name: metric, labels: onThePage } of onPage(SECTIONS[name])) {
      const labels = notice(name).get(metric)?.labels ?? new Map<string, ReadonlySet<string>>();
      // A label with open values may have none now: for example, nothing is in flight.
      const expected = [...onThePage].flatMap(([label, { values, open }]) => (open && values.size === 0 ? [] : label));
      expect([...labels.keys(), ...expected], metric).toEqual(expect.arrayContaining(expected));
      for (const [label, values] of labels) {
        const described = onThePage.get(label);
        expect(described, `${metric} has the label ${label}, which the page lacks`).toBeDefined();
        if (described === undefined) continue;
        expect([...values], `${metric}, ${label}: is there from the start`).toEqual(
          expect.arrayContaining([...described.values]),
        );
        if (described.open) continue;
        expect([...described.values], `${metric}, ${label}: is on the page`).toEqual(
          expect.arrayContaining([...values]),
        );
      }
      for (const label of expected) expect(labels.has(label), `${metric} has no label ${label}`).toBe(true);
    }
  });

  test('promtool check metrics reports nothing', () => {
    expect(promtool(['check', 'metrics'], scrapes.get(name)?.text)).toEqual({ code: 0, output: '' });
  });
});

test('hubbub start exports the metrics of an edge and presence, but none of Redis', async () => {
  const { metrics } = await scrape((await startEmbedded()).edge(0).adminUrl);
  const conditional = /^hubbub_edge_(authorizer|jwks|events_)/;
  const expected = onPage(['Every process', 'Edge', 'Presence']).filter(({ name }) => !conditional.test(name));
  expect([...metrics.keys()].sort()).toEqual(expected.map(({ name }) => name).sort());
});

test('the workers of a port together export the metrics of one edge', async () => {
  const redis = await startRedis();
  const workers = await startWorkers(redis);
  const { text, metrics } = await scrape(workers.adminUrl);
  const conditional = /^hubbub_edge_(authorizer|jwks|events_)/;
  const expected = onPage([...SECTIONS.edge, 'Workers of an edge']).filter(
    ({ name }) => !conditional.test(name) && !OF_ONE_PROCESS.includes(name),
  );
  expect([...metrics.keys()].sort()).toEqual(expected.map(({ name }) => name).sort());
  expect(text).toMatch(/^hubbub_edge_ready 1$/m);
  expect(promtool(['check', 'metrics'], text)).toEqual({ code: 0, output: '' });
});

test('units are those of Prometheus', () => {
  for (const { name, type, unit } of documented) {
    if (unit === 'seconds' || unit === 'bytes')
      expect(name.replace(/_total$/, ''), name).toMatch(new RegExp(`_${unit}$`));
    else expect(name).not.toMatch(/_(seconds|bytes|milliseconds|ms|kb|mb)(_total)?$/);
    expect(name.endsWith('_total'), name).toBe(type === 'counter');
  }
});

test('every metric of Hubbub is on a dashboard or in an alert, and those query only metrics of the page', () => {
  const asked = new Set(
    [...panelExpressions().map(({ expression }) => expression), ...ruleExpressions()]
      .flatMap(metricsIn)
      .map(name => name.replace(/_lag_seconds_count$/, '_lag_seconds'))
      .filter(name => !/^k6_/.test(name)),
  );
  const names = documented.map(({ name }) => name);
  expect([...asked].filter(name => !names.includes(name))).toEqual([]);
  expect(names.filter(name => name.startsWith('hubbub_') && !asked.has(name))).toEqual([]);
});
