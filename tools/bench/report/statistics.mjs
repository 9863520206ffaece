/** Computes medians of raw rows, and ratios of two relays, paired within each round. */

/** @param {readonly number[]} values @returns {number} NaN without values */
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
 * Selects the rows for medians and ratios: the last one of each relay, step and round, without the warm-up.
 * Disturbed rows count only if a relay would have no row at a step without them.
 */
export function countedRows(rows) {
  const last = new Map(rows.filter(row => !row.warmUp).map(row => [`${row.relay} ${row.step} ${row.round}`, row]));
  const all = [...last.values()];
  const quiet = all.filter(row => !row.disturbed);
  const same = a => b => a.relay === b.relay && a.step === b.step;
  return all.every(row => quiet.some(same(row))) ? quiet : all;
}

/** Returns whether `countedRows` contains disturbed rows. */
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
 * Computes ratios within each round, where both relays ran under the same conditions.
 * Returns the median of these ratios, with the smallest and the largest.
 */
export function ratioOf(own, base, key) {
  return spread(finite(own.map(row => row[key] / base.find(other => other.round === row.round)?.[key])));
}

/** Returns the row with the largest value over all steps, for each round. */
export function peakRows(rows, relay, key) {
  const own = countedRows(rows).filter(row => row.relay === relay);
  return distinct(own.map(row => row.round)).map(round =>
    own.filter(row => row.round === round).reduce((best, row) => (row[key] > best[key] ? row : best)),
  );
}

function finite(values) {
  return values.filter(value => Number.isFinite(value));
}
