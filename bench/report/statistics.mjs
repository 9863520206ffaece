/** From raw rows to medians, and to ratios of two relays, paired within each round. */

/** @param {readonly number[]} values @returns {number} NaN when there are none */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @returns {{ median: number, min: number, max: number }} */
export function spread(values) {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/**
 * The rows that medians and ratios are of: of each relay, step and round the last one, the warm-up and what others disturbed
 * left out; where that leaves a relay without any, the disturbed ones count.
 */
export function countedRows(rows) {
  const last = new Map(rows.filter(row => !row.warmUp).map(row => [`${row.relay} ${row.step} ${row.round}`, row]));
  const all = [...last.values()];
  const quiet = all.filter(row => !row.disturbed);
  const same = a => b => a.relay === b.relay && a.step === b.step;
  return all.every(row => quiet.some(same(row))) ? quiet : all;
}

/** Whether `countedRows` had to take disturbed ones. */
export function isDisturbed(rows) {
  return countedRows(rows).some(row => row.disturbed);
}

export function distinct(values) {
  return [...new Set(values)];
}

/** @returns {readonly object[]} counted rows of one relay at one step */
export function rowsAt(rows, relay, step) {
  return countedRows(rows).filter(row => row.relay === relay && row.step === step);
}

export function medianOf(rows, key) {
  return median(finite(rows.map(row => row[key])));
}

/**
 * A ratio is taken within a round, where both relays met the same machine; what is reported is the median of the rounds' ratios,
 * with the smallest and the largest.
 */
export function ratioOf(own, base, key) {
  return spread(finite(own.map(row => row[key] / base.find(other => other.round === row.round)?.[key])));
}

/** Of each round the largest value over all steps, as rows. */
export function peakRows(rows, relay, key) {
  const own = countedRows(rows).filter(row => row.relay === relay);
  return distinct(own.map(row => row.round)).map(round =>
    own.filter(row => row.round === round).reduce((best, row) => (row[key] > best[key] ? row : best)),
  );
}

function finite(values) {
  return values.filter(value => Number.isFinite(value));
}
