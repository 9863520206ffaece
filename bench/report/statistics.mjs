/** From raw rows to medians, and to ratios against the first relay, paired within each round. */

/** What is compared: key of a row, heading, how to print it. */
export const MEASURES = [
  { key: 'deliveriesPerSecond', title: 'deliveries/s', print: value => Math.round(value).toLocaleString('en-US') },
  { key: 'p50Ms', title: 'p50 ms', print: value => value.toFixed(2) },
  { key: 'p99Ms', title: 'p99 ms', print: value => value.toFixed(2) },
  { key: 'p999Ms', title: 'p99.9 ms', print: value => value.toFixed(2) },
  { key: 'relayCpu', title: 'relay CPU', print: value => `${Math.round(value * 100)} %` },
  { key: 'relayCpuUsPerDelivery', title: 'relay CPU µs/delivery', print: value => value.toFixed(3) },
  { key: 'loadCpu', title: 'load CPU', print: value => `${Math.round(value * 100)} %` },
  { key: 'othersCpu', title: 'others CPU', print: value => `${Math.round(value * 100)} %` },
];

/** @param {readonly number[]} values @returns {number} NaN when there are none */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * One summary for each rate and relay. A ratio is taken within a round, where both relays met the same machine; what is
 * reported is the median of the rounds' ratios, with the smallest and the largest. Disturbed measurements are left out.
 */
export function summarize(rows) {
  const measured = rows.filter(row => !row.warmUp && !row.disturbed);
  const relays = distinct(rows.map(row => row.relay));
  const rates = distinct(rows.map(row => row.rate));
  return rates.flatMap(rate =>
    relays.map(relay => {
      const own = measured.filter(row => row.rate === rate && row.relay === relay);
      const base = measured.filter(row => row.rate === rate && row.relay === relays[0]);
      return {
        rate,
        relay,
        rounds: own.length,
        medians: byMeasure(key => median(numbers(own.map(row => row[key])))),
        ratios: relay === relays[0] ? undefined : byMeasure(key => spread(ratiosOf(own, base, key))),
        lost: total(own, 'lost'),
        late: total(own, 'late'),
        repeated: total(own, 'repeated'),
        ended: total(own, 'ended'),
      };
    }),
  );
}

function ratiosOf(own, base, key) {
  return numbers(own.map(row => row[key] / base.find(other => other.round === row.round)?.[key]));
}

function spread(values) {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

function byMeasure(read) {
  return Object.fromEntries(MEASURES.map(({ key }) => [key, read(key)]));
}

function total(rows, key) {
  return rows.reduce((sum, row) => sum + (Array.isArray(row[key]) ? row[key].length : row[key]), 0);
}

function numbers(values) {
  return values.filter(value => Number.isFinite(value));
}

function distinct(values) {
  return [...new Set(values)];
}
