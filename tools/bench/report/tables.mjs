/** The measures of comparisons, and their tables. */
import { table, whole } from '../../report/tables.mjs';
import { distinct, medianOf, peakRows, ratioOf, rowsAt } from './statistics.mjs';

const fixed = digits => value => value.toFixed(digits);
const percent = value => `${Math.round(value * 100)} %`;

/** @type {Record<string, { title: string, print: (value: number) => string, compared?: boolean }>} */
export const MEASURES = {
  deliveriesPerSecond: { title: 'deliveries/s', print: whole, compared: true },
  p50Ms: { title: 'p50 ms', print: fixed(2), compared: true },
  p99Ms: { title: 'p99 ms', print: fixed(2), compared: true },
  p999Ms: { title: 'p99.9 ms', print: fixed(2) },
  ackP50Ms: { title: 'ack p50 ms', print: fixed(2), compared: true },
  ackP99Ms: { title: 'ack p99 ms', print: fixed(2), compared: true },
  relayCpu: { title: 'relay CPU', print: percent },
  relayCpuUsPerDelivery: { title: 'relay CPU µs/delivery', print: fixed(3), compared: true },
  relayCpuUsPerMessage: { title: 'relay CPU µs/message', print: fixed(2), compared: true },
  requestsPerSecond: { title: 'requests/s', print: whole, compared: true },
  relayCpuUsPerRequest: { title: 'API CPU µs/request', print: fixed(1), compared: true },
  tracingOffNs: { title: 'tracing off, ns/message', print: fixed(1) },
  loadCpu: { title: 'load CPU', print: percent },
  redisCpu: { title: 'Redis CPU', print: value => `${(value * 100).toFixed(1)} %` },
  othersCpu: { title: 'others CPU', print: percent },
  allOpenMs: { title: 'all open ms', print: whole, compared: true },
  halfOpenMs: { title: 'half open ms', print: whole, compared: true },
  openPerSecond: { title: 'open/s', print: whole },
  relayCpuUsPerConnection: { title: 'relay CPU µs/connection', print: fixed(1), compared: true },
  emptyMiB: { title: 'empty MiB', print: fixed(1) },
  bytesPerConnection: { title: 'bytes/connection', print: whole, compared: true },
  bytesPerConnectionCollected: { title: 'bytes/connection, collected', print: whole, compared: true },
  relayCpuPercent: { title: 'relay CPU %', print: fixed(2), compared: true },
  helpersCpuPercent: { title: 'presence CPU %', print: fixed(2) },
  redisCpuPercent: { title: 'Redis CPU %', print: fixed(2) },
  ghostsListed: { title: 'ghosts in the list of the HTTP API', print: whole },
  ghostsSeen: { title: 'ghosts that clients see', print: whole },
  answerMs: { title: 'answer of the API ms', print: whole },
  redisCommandsPerSecond: { title: 'Redis commands/s', print: fixed(1) },
};

/** Counts that should be zero; reported where they are measured. */
export const TROUBLES = { lost: 'lost', late: 'late', repeated: 'repeated', ended: 'cut off' };

export function troublesOf(row, key) {
  const value = row[key] ?? 0;
  return Array.isArray(value) ? value.length : value;
}

export function printed(key, value) {
  return Number.isFinite(value) ? MEASURES[key].print(value) : '–';
}

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
