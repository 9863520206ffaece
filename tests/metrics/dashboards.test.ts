/** The dashboards: their JSON equals the output of the TypeScript, and every panel describes what it shows. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { BOARDS, dashboardFiles } from '../../deploy/grafana/src/index.js';
import { deployFile } from '../deploy/support/proxy.js';
import { metricsIn, panelExpressions } from './support/expressions.js';

const PANELS_MAX = 16;
const UNITS = ['s', 'bytes', 'Bps', 'ops', 'short', 'percentunit'];

const panelsOf = (board: (typeof BOARDS)[number]) =>
  (board.dashboard.panels ?? []).flatMap(panel => (panel.type !== 'row' && 'targets' in panel ? [panel] : []));

test('deploy/grafana/dashboards is the output of npm run dashboards', () => {
  const folder = deployFile('grafana/dashboards');
  const files = Object.fromEntries(readdirSync(folder).map(name => [name, readFileSync(`${folder}/${name}`, 'utf8')]));
  expect(files).toEqual(dashboardFiles());
});

test('dashboards have unique names, a data source variable, and a readable number of panels', () => {
  expect(new Set(BOARDS.map(({ dashboard }) => dashboard.uid)).size).toBe(BOARDS.length);
  for (const board of BOARDS) {
    const variables = board.dashboard.templating?.list ?? [];
    expect(variables[0], board.name).toMatchObject({ type: 'datasource', name: 'datasource', query: 'prometheus' });
    expect(variables.length, board.name).toBeGreaterThan(1);
    expect(board.dashboard.description, board.name).toMatch(/\w.*\.$/);
    expect(panelsOf(board).length, board.name).toBeLessThanOrEqual(PANELS_MAX);
  }
});

test.each(BOARDS.flatMap(board => panelsOf(board).map(panel => [`${board.name} / ${panel.title}`, panel] as const)))(
  '%s: description, unit, thresholds, legends, data source',
  (_, panel) => {
    expect(panel.description).toMatch(/^\S.{15,}\.$/s);
    expect(UNITS).toContain(panel.fieldConfig?.defaults.unit);
    expect(panel.fieldConfig?.defaults.thresholds?.steps.length).toBeGreaterThan(0);
    expect(panel.targets?.length).toBeGreaterThan(0);
    for (const target of panel.targets ?? []) {
      expect(target).toMatchObject({ datasource: { type: 'prometheus', uid: '$datasource' } });
      expect(target).toMatchObject({ legendFormat: expect.stringMatching(/\S/), expr: expect.stringMatching(/\S/) });
    }
  },
);

test('panels do not overlap, and rows are full', () => {
  for (const board of BOARDS) {
    const places = panelsOf(board).map(({ gridPos }) => gridPos ?? { x: 0, y: 0, w: 0, h: 0 });
    const taken = new Set(places.flatMap(({ x, y, w }) => Array.from({ length: w }, (_, i) => `${x + i},${y}`)));
    expect(taken.size, board.name).toBe(places.reduce((sum, { w }) => sum + w, 0));
    expect(Math.max(...places.map(({ x, w }) => x + w)), board.name).toBe(24);
  }
});

test('the dashboard of a load run queries metrics that the scenarios have', () => {
  const source = readFileSync(new URL('../../k6/lib/metrics.ts', import.meta.url), 'utf8');
  const kinds = { Counter: ['total'], Rate: ['rate'], Trend: ['p50', 'p95', 'p99', 'max'] };
  const written = [...source.matchAll(/new (Counter|Rate|Trend)\('(\w+)'/g)].flatMap(([, kind, name]) =>
    kinds[kind as keyof typeof kinds].map(suffix => `k6_${name}_${suffix}`),
  );
  const asked = panelExpressions()
    .filter(({ board }) => board === 'k6')
    .flatMap(({ expression }) => metricsIn(expression));
  expect(new Set(asked)).toEqual(new Set([...written, 'k6_vus']));
});
