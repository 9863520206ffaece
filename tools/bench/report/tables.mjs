/** Formats the figures of a run as Markdown tables, which are readable on a terminal too. */
import { MEASURES, printed, TROUBLES, troublesOf } from './measures.mjs';
import { distinct, medianOf, peakRows, ratioOf, rowsAt } from './statistics.mjs';

const whole = value => value.toLocaleString('en-US');

export function mediansTable(scenario, rows) {
  const troubles = measuredTroubles(rows);
  return table(
    [scenario.stepTitle, 'relay', 'rounds', ...titles(scenario.measures), ...troubles.map(key => TROUBLES[key])],
    casesOf(rows).map(({ step, relay }) => {
      const own = rowsAt(rows, relay, step);
      return [
        whole(step),
        relay,
        own.length,
        ...scenario.measures.map(key => printed(key, medianOf(own, key))),
        ...troubles.map(key => own.reduce((sum, row) => sum + troublesOf(row, key), 0)),
      ];
    }),
  );
}

export function ratiosTable(scenario, rows) {
  const measures = scenario.measures.filter(key => MEASURES[key].compared);
  const [base] = relaysOf(rows);
  return table(
    [scenario.stepTitle, 'relay', ...titles(measures)],
    casesOf(rows)
      .filter(({ relay }) => relay !== base)
      .map(({ step, relay }) => [
        whole(step),
        relay,
        ...measures.map(key => range(ratioOf(rowsAt(rows, relay, step), rowsAt(rows, base, step), key))),
      ]),
  );
}

/** Lists the peak of each relay, and its ratios to the other relays' peaks. */
export function peaksTable({ peak, stepTitle }, rows) {
  const relays = relaysOf(rows);
  const peaks = relays.map(relay => peakRows(rows, relay, peak));
  return table(
    ['relay', MEASURES[peak].title, `at ${stepTitle}`, ...relays.map(relay => `of ${relay}`)],
    relays.map((relay, i) => [
      relay,
      printed(peak, medianOf(peaks[i], peak)),
      whole(medianOf(peaks[i], 'step')),
      ...relays.map((_, other) => (other === i ? '' : range(ratioOf(peaks[i], peaks[other], peak)))),
    ]),
  );
}

/** Formats one row as a line of the terminal. */
export function rowInWords(scenario, row) {
  const troubles = Object.keys(TROUBLES).filter(key => troublesOf(row, key) > 0);
  return [
    `${whole(row.step)} ${scenario.stepTitle}`,
    ...scenario.measures.map(key => `${MEASURES[key].title} ${printed(key, row[key])}`),
    ...(row.disturbed ? ['disturbed'] : []),
    ...troubles.map(key => `${TROUBLES[key].toUpperCase()} ${troublesOf(row, key)}`),
    ...distinct(row.clientTroubles ?? []).slice(0, 3),
  ].join(' · ');
}

/** @param {readonly string[]} head @param {readonly (readonly unknown[])[]} rows */
export function table(head, rows) {
  const lines = [head, ...rows].map(cells => cells.map(String));
  const widths = head.map((_, i) => Math.max(...lines.map(cells => cells[i].length)));
  const [first, ...rest] = lines.map(cells => `| ${cells.map((cell, i) => align(cell, widths[i], i)).join(' | ')} |`);
  const rule = `|${widths.map((width, i) => (leftAligned(i, head) ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [first, rule, ...rest].join('\n');

  function align(cell, width, i) {
    return leftAligned(i, head) ? cell.padEnd(width) : cell.padStart(width);
  }
}

/** Returns the relays in the order of the settings, as in every second round. */
function relaysOf(rows) {
  const even = rows.filter(row => row.round % 2 === 0);
  return even.length > 0 ? distinct(even.map(row => row.relay)) : distinct(rows.map(row => row.relay)).toReversed();
}

function casesOf(rows) {
  const steps = distinct(rows.map(row => row.step)).sort((a, b) => a - b);
  const has = (step, relay) => rows.some(row => row.step === step && row.relay === relay && !row.warmUp);
  return steps.flatMap(step =>
    relaysOf(rows)
      .filter(relay => has(step, relay))
      .map(relay => ({ step, relay })),
  );
}

function titles(keys) {
  return keys.map(key => MEASURES[key].title);
}

function measuredTroubles(rows) {
  return Object.keys(TROUBLES).filter(key => rows.some(row => row[key] !== undefined));
}

function range({ median, min, max }) {
  const print = value => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(3));
  return Number.isFinite(median) ? `${print(median)} (${print(min)} to ${print(max)})` : '–';
}

function leftAligned(i, head) {
  return ['', 'relay', 'round', 'what', 'process', 'command', 'kind'].includes(head[i]);
}
