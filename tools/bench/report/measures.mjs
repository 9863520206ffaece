/** The measures of comparisons: title, format, and whether a ratio of two values is meaningful. */

const count = value => Math.round(value).toLocaleString('en-US');
const fixed = digits => value => value.toFixed(digits);
const percent = value => `${Math.round(value * 100)} %`;

/** @type {Record<string, { title: string, print: (value: number) => string, compared?: boolean }>} */
export const MEASURES = {
  deliveriesPerSecond: { title: 'deliveries/s', print: count, compared: true },
  p50Ms: { title: 'p50 ms', print: fixed(2), compared: true },
  p99Ms: { title: 'p99 ms', print: fixed(2), compared: true },
  p999Ms: { title: 'p99.9 ms', print: fixed(2) },
  ackP50Ms: { title: 'ack p50 ms', print: fixed(2), compared: true },
  ackP99Ms: { title: 'ack p99 ms', print: fixed(2), compared: true },
  relayCpu: { title: 'relay CPU', print: percent },
  relayCpuUsPerDelivery: { title: 'relay CPU µs/delivery', print: fixed(3), compared: true },
  loadCpu: { title: 'load CPU', print: percent },
  redisCpu: { title: 'Redis CPU', print: value => `${(value * 100).toFixed(1)} %` },
  othersCpu: { title: 'others CPU', print: percent },
  allOpenMs: { title: 'all open ms', print: count, compared: true },
  halfOpenMs: { title: 'half open ms', print: count, compared: true },
  openPerSecond: { title: 'open/s', print: count },
  relayCpuUsPerConnection: { title: 'relay CPU µs/connection', print: fixed(1), compared: true },
  emptyMiB: { title: 'empty MiB', print: fixed(1) },
  bytesPerConnection: { title: 'bytes/connection', print: count, compared: true },
  bytesPerConnectionCollected: { title: 'bytes/connection, collected', print: count, compared: true },
  relayCpuPercent: { title: 'relay CPU %', print: fixed(2), compared: true },
  helpersCpuPercent: { title: 'presence CPU %', print: fixed(2) },
  redisCpuPercent: { title: 'Redis CPU %', print: fixed(2) },
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
