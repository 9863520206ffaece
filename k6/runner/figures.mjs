/** Combines the summaries of several k6 processes. */

/**
 * @typedef {object} Metric
 * @property {'counter' | 'trend' | 'rate' | 'gauge'} type
 * @property {Record<string, number>} values
 * @property {Record<string, { ok: boolean }>} [thresholds]
 */

/**
 * Adds counters. Percentiles of several processes cannot be added: the result is that of the worst process.
 * @param {readonly { metrics: Record<string, Metric> }[]} summaries @returns {Record<string, Metric>}
 */
export function addUp(summaries) {
  const names = new Set(summaries.flatMap(({ metrics }) => Object.keys(metrics)));
  const entries = [...names].sort().map(name => {
    const metrics = summaries.flatMap(summary => summary.metrics[name] ?? []);
    return [
      name,
      {
        type: metrics[0].type,
        values: combine(
          metrics[0].type,
          metrics.map(({ values }) => values),
        ),
      },
    ];
  });
  return Object.fromEntries(entries);
}

/** @param {readonly { metrics: Record<string, Metric> }[]} summaries @returns {string[]} such as `hubbub_messages_lost: count==0 (was 3)` */
export function failedThresholds(summaries) {
  return summaries.flatMap(({ metrics }, index) =>
    Object.entries(metrics).flatMap(([name, { values, thresholds = {} }]) =>
      Object.entries(thresholds)
        .filter(([, { ok }]) => !ok)
        .map(
          ([threshold]) =>
            `${name}: ${threshold} (${measured(values, threshold)}${summaries.length > 1 ? `, process ${index + 1}` : ''})`,
        ),
    ),
  );
}

function measured(values, threshold) {
  const [, key = ''] = /^([a-z]+(?:\([\d.]+\))?)/.exec(threshold) ?? [];
  return values[key] === undefined ? 'nothing was measured' : `was ${Math.round(values[key] * 1000) / 1000}`;
}

function combine(type, list) {
  if (list.length === 1) return list[0];
  const sum = key => list.reduce((total, values) => total + (values[key] ?? 0), 0);
  if (type === 'counter') return { count: sum('count'), rate: sum('rate') };
  if (type === 'rate') {
    const [passes, fails] = [sum('passes'), sum('fails')];
    return { passes, fails, rate: passes + fails === 0 ? 0 : passes / (passes + fails) };
  }
  const measured = list.filter(values => values.count !== 0);
  const keys = Object.keys(list[0]);
  return Object.fromEntries(keys.map(key => [key, combineKey(key, measured, sum)]));
}

function combineKey(key, list, sum) {
  if (key === 'count') return sum('count');
  const all = list.map(values => values[key]);
  if (all.length === 0) return 0;
  if (key === 'min') return Math.min(...all);
  if (key !== 'avg') return Math.max(...all);
  return list.reduce((total, values) => total + values.avg * values.count, 0) / Math.max(sum('count'), 1);
}
