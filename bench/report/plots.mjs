/** The plots of a comparison: for each measure that a scenario names, bars of the relays by step. */
import { barChart } from './bar-chart.mjs';
import { MEASURES, printed } from './measures.mjs';
import { distinct, rowsAt, spread } from './statistics.mjs';

/** @param {import('../comparison.mjs').Comparison} scenario @returns {{ name: string, title: string, svg: string }[]} */
export function plotsOf(scenario, rows) {
  const measured = rows.filter(row => !row.warmUp);
  const steps = distinct(measured.map(row => row.step)).sort((a, b) => a - b);
  const relays = distinct(measured.map(row => row.relay)).sort((a, b) => place(scenario, a) - place(scenario, b));
  return scenario.plots.map(({ key, log = false }) => {
    const title = `${scenario.name}: ${MEASURES[key].title}`;
    const groups = steps.map(step => ({
      label: `${step.toLocaleString('en-US')} ${scenario.stepTitle}`,
      bars: relays.map(relay => {
        const values = rowsAt(rows, relay, step)
          .map(row => row[key])
          .filter(Number.isFinite);
        return values.length === 0 ? undefined : { ...spread(values), text: printed(key, spread(values).median) };
      }),
    }));
    return { name: key, title, svg: barChart({ title, unit: MEASURES[key].title, series: relays, groups, log }) };
  });
}

function place({ full }, relay) {
  const at = full.relays.indexOf(relay);
  return at < 0 ? full.relays.length : at;
}
