/** The tables of a churn. */
import { table } from '../../bench/report/tables.mjs';
import { MIB } from './memory.mjs';

const whole = number => Math.round(number).toLocaleString('en-US');
const mib = bytes => (bytes === undefined ? '–' : (bytes / MIB).toFixed(1));

/** Computes the growth of the held heap per connection, from the least-squares line through all rows. */
export function slopeBytes(rows, name) {
  const points = rows.map(row => [row.connections, row[name].heapBytes]);
  const mean = index => points.reduce((sum, point) => sum + point[index], 0) / points.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  const above = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const below = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  return above / below;
}

/** @param {object} run from `scenarios/churn.mjs` */
export function churnTables({ rows, parts, connections, seconds, problems }) {
  const head = [
    'connections',
    ...parts.flatMap(name => [`${name} holds`, `${name} RSS`]),
    'files',
    'Redis keys',
    'Redis memory',
  ];
  const lines = rows.map(row => [
    whole(row.connections),
    ...parts.flatMap(name => [mib(row[name].heapBytes), mib(row[name].rssBytes)]),
    row.files ?? '–',
    row.keys ?? '–',
    mib(row.redisBytes),
  ]);
  const slopes = rows.length < 3 ? [] : parts.map(name => `${name} ${slopeBytes(rows, name).toFixed(2)} bytes`);
  return [
    `${whole(connections)} connections came and went in ${seconds.toFixed(0)} s (including the time to settle); ${problems.length} violations.`,
    table(head, lines),
    ...(slopes.length > 0 ? [`Held heap for each connection, by a line through all rows: ${slopes.join(', ')}.`] : []),
  ].join('\n\n');
}
