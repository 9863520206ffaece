/** The metrics kit: what a scrape reads of counters, totals and gauges. */
import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { createMetricsRegistry, metricsKit } from '../src/metrics.js';

function kitWithRegistry() {
  const registry = createMetricsRegistry();
  const scrape = async (name: string) => {
    const metric = await registry.getSingleMetric(name)?.get();
    return metric?.values.map(({ labels, value }) => [labels, value]);
  };
  return { ...metricsKit(registry), registry, scrape };
}

test('counters begin at 0 for every set of labels that is known', async () => {
  const { counterBy, scrape } = kitWithRegistry();
  const count = counterBy(
    'kit_total',
    'help',
    ['ok', 'failed'].map(result => ({ result })),
  );
  count({ result: 'ok' });
  expect(await scrape('kit_total')).toEqual([
    [{ result: 'ok' }, 1],
    [{ result: 'failed' }, 0],
  ]);
});

test('a total follows the number of its owner, read when scraped', async () => {
  const { total, scrape } = kitWithRegistry();
  let bytes = 5;
  total('kit_bytes_total', 'help', () => bytes);
  expect(await scrape('kit_bytes_total')).toEqual([[{}, 5]]);
  bytes = 12;
  expect(await scrape('kit_bytes_total')).toEqual([[{}, 12]]);
});

test('a gauge with labels forgets values that are gone', async () => {
  const { gaugeBy, scrape } = kitWithRegistry();
  let names = ['a', 'b'];
  gaugeBy('kit_gauge', 'help', ['name'], async () => names.map(name => [{ name }, 1] as const));
  expect(await scrape('kit_gauge')).toHaveLength(2);
  names = ['b'];
  expect(await scrape('kit_gauge')).toEqual([[{ name: 'b' }, 1]]);
});

test('a delay of the event loop counts once for each sample that it prevented', async () => {
  const { registry } = kitWithRegistry();
  const samples = async () => {
    const text = await registry.getSingleMetricAsString('hubbub_event_loop_delay_seconds');
    const upTo = (le: string) => Number(text.split(`le="${le}"} `)[1]?.split('\n')[0]);
    return { all: upTo('+Inf'), late: upTo('+Inf') - upTo('0.1') };
  };
  await eventually(async () => (await samples()).all > 0);
  const before = await samples();
  const endsAtMs = performance.now() + 520;
  while (performance.now() < endsAtMs);
  await eventually(async () => (await samples()).all > before.all);
  expect((await samples()).late - before.late).toBeGreaterThanOrEqual(3);
});
