/** The figures of a run as Markdown tables, which read well on a terminal too. */
import { MEASURES } from './statistics.mjs';

const RATIOS = ['deliveriesPerSecond', 'p50Ms', 'p99Ms', 'relayCpuUsPerDelivery'];

export function mediansTable(summaries) {
  return table(
    ['msg/s', 'relay', 'rounds', ...MEASURES.map(measure => measure.title), 'lost', 'late', 'repeated', 'cut off'],
    summaries.map(({ rate, relay, rounds, medians, lost, late, repeated, ended }) => [
      rate.toLocaleString('en-US'),
      relay,
      rounds,
      ...MEASURES.map(({ key, print }) => printed(medians[key], print)),
      lost,
      late,
      repeated,
      ended,
    ]),
  );
}

export function ratiosTable(summaries) {
  const measures = MEASURES.filter(({ key }) => RATIOS.includes(key));
  const print = value => value.toFixed(3);
  return table(
    ['msg/s', 'relay', ...measures.map(measure => measure.title)],
    summaries
      .filter(summary => summary.ratios !== undefined)
      .map(({ rate, relay, ratios }) => [
        rate.toLocaleString('en-US'),
        relay,
        ...measures.map(({ key }) => {
          const { median, min, max } = ratios[key];
          return Number.isFinite(median) ? `${print(median)} (${print(min)} to ${print(max)})` : '–';
        }),
      ]),
  );
}

export function roundsTable(rows) {
  return table(
    ['round', 'msg/s', 'relay', ...MEASURES.map(measure => measure.title), 'lost', 'late', 'repeated', 'cut off'],
    rows.map(row => [
      `${row.warmUp ? 'warm-up' : row.round}${row.disturbed ? ', disturbed' : ''}`,
      row.rate.toLocaleString('en-US'),
      row.relay,
      ...MEASURES.map(({ key, print }) => printed(row[key], print)),
      row.lost,
      row.late,
      row.repeated,
      row.ended.length,
    ]),
  );
}

/** One row in a line, while the run goes on. */
export function rowInWords(row) {
  const figures = MEASURES.filter(({ key }) => key !== 'p999Ms' && key !== 'relayCpuUsPerDelivery');
  const trouble = row.lost + row.late + row.repeated + row.ended.length > 0;
  return [
    `${row.rate.toLocaleString('en-US')} msg/s`,
    ...figures.map(({ key, title, print }) => `${title} ${printed(row[key], print)}`),
    ...(row.disturbed ? ['disturbed'] : []),
    ...(trouble ? [`LOST ${row.lost}, LATE ${row.late}, REPEATED ${row.repeated}, CUT OFF ${row.ended.length}`] : []),
  ].join(' · ');
}

function printed(value, print) {
  return Number.isFinite(value) ? print(value) : '–';
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

function leftAligned(i, head) {
  return head[i] === 'relay' || head[i] === 'round';
}
