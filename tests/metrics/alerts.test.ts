/** The alerts: valid, each tested by a story that fires it and one that does not, each with a correct runbook. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { environmentName, settingNames } from '@hubbub/config';
import { beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { deployFile } from '../deploy/support/proxy.js';
import { MarkdownPage } from '../support/markdown-tables.js';
import { PROVISION_TIMEOUT_MS } from '../support/provision.js';
import { alerts, metricsIn, ruleExpressions } from './support/expressions.js';
import { readMetricsPage } from './support/metrics-page.js';
import { promtool } from './support/prometheus.js';

const RULES = deployFile('prometheus/rules/hubbub.yml');
const STORIES = fileURLToPath(new URL('alerts.yml', import.meta.url));
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const runbooks = readFileSync(`${ROOT}docs/runbooks.md`, 'utf8');
/** Its address, where the configuration of Prometheus has one; else its path. */
const RUNBOOKS = '{{ with $externalLabels.runbooks }}{{ . }}{{ else }}docs/runbooks.md{{ end }}';
const names = alerts().map(({ name }) => name);

// promtool computes hours of series: 10 s on a quiet machine.
const PROMTOOL_TIMEOUT_MS = 600_000;

beforeAll(() => {
  promtool(['--version']);
}, PROVISION_TIMEOUT_MS);

test('promtool accepts the rules, and the configuration that names them', { timeout: PROMTOOL_TIMEOUT_MS }, () => {
  expect(promtool(['check', 'rules', RULES])).toMatchObject({ code: 0 });
  const { code, output } = promtool(['check', 'config', deployFile('prometheus/prometheus.yml')]);
  expect(output).toContain(`${ruleExpressions().length} rules found`);
  expect(code).toBe(0);
});

test('every alert fires when it should, and is silent when it should be', { timeout: PROMTOOL_TIMEOUT_MS }, () => {
  const { code, output } = promtool(['test', 'rules', STORIES]);
  expect(output).toContain('SUCCESS');
  expect(code).toBe(0);
  const { tests } = parse(readFileSync(STORIES, 'utf8')) as { tests: { name: string; promql_expr_test: object[] }[] };
  for (const name of names) {
    const [fires, quiet] = ['fires', 'is quiet'].map(verdict =>
      tests.find(story => story.name.startsWith(`${name} ${verdict}: `)),
    );
    const firing = `ALERTS{alertname="${name}", alertstate="firing"}`;
    expect(fires?.promql_expr_test, name).toMatchObject([{ expr: `count(${firing})`, exp_samples: [{ value: 1 }] }]);
    const ever = `count(count_over_time(${firing}[1d]))`;
    expect(quiet?.promql_expr_test, name).toMatchObject([{ expr: ever, exp_samples: [] }]);
  }
});

test('every alert states its severity, its meaning, and where to read on', () => {
  for (const { name, severity, annotations } of alerts()) {
    expect(['critical', 'warning']).toContain(severity);
    expect(annotations.summary, name).toMatch(/^.{10,160}$/);
    expect(annotations.description, name).toMatch(/^.{20,}\.$/);
    expect(annotations.runbook_url).toBe(`${RUNBOOKS}#${name.toLowerCase()}`);
  }
});

test('every alert has a runbook, every runbook an alert, and the metrics page lists them', () => {
  expect([...runbooks.matchAll(/^## (\w+)$/gm)].map(([, name]) => name)).toEqual([...names].sort());
  const page = new MarkdownPage(readFileSync(`${ROOT}docs/metrics.md`, 'utf8'));
  expect(page.table('Alerts', 'alert', 'severity').map(({ alert, severity }) => [alert, severity])).toEqual(
    alerts().map(({ name, severity }) => [name, severity]),
  );
});

test.each(names)('%s: its runbook has a meaning, checks and actions, and names only things that exist', name => {
  const text = new MarkdownPage(runbooks).section(name);
  const [, ...parts] = text.split(/^\*\*(?:Meaning\.|Check|Do)\*\*/m);
  expect(parts.map(part => part.trim().length > 40)).toEqual([true, true, true]);
  const settings = settingNames().map(setting => environmentName(setting));
  const documented = readMetricsPage().map(metric => metric.name);
  for (const [setting] of text.matchAll(/HUBBUB_[A-Z_]+/g)) expect(settings).toContain(setting);
  for (const metric of metricsIn(text)) expect(documented).toContain(metric.replace(/_(sum|count)$/, ''));
  for (const [alert] of text.matchAll(/\bHubbub[A-Z]\w+/g)) expect(names).toContain(alert);
});
