/** Markdown tables, which are readable on a terminal too. */
import { markdownTable } from 'markdown-table';

/** Columns of text; the others have numbers. */
const LEFT = new Set([
  '',
  'relay',
  'round',
  'what',
  'process',
  'command',
  'kind',
  'measured',
  'in',
  'figure',
  'target',
  'part',
  'constant',
  'cost',
  'resource',
  'set-up',
  'topology',
]);

/** @param {readonly string[]} head @param {readonly (readonly unknown[])[]} rows */
export function table(head, rows) {
  return markdownTable(
    [head, ...rows].map(cells => cells.map(String)),
    { align: head.map(title => (LEFT.has(title) ? '' : 'r')) },
  );
}

const wholeNumbers = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** Formats a number without decimals, such as `12,480`. */
export function whole(number) {
  return wholeNumbers.format(number);
}

export const MIB = 2 ** 20;

/** Counts equal names, such as events. @param {readonly string[]} names @returns {Record<string, number>} */
export function countsOf(names) {
  const counts = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Formats counts by name, the largest first. */
export function countsInWords(counts) {
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name}: ${whole(count)}`)
    .join(', ');
}
