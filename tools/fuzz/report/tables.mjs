/** The tables of a flood and of a churn. */
import { countsInWords, MIB, table, whole } from '../../report/tables.mjs';

const mib = bytes => (Number.isFinite(bytes) ? (bytes / MIB).toFixed(1) : '–');

/** @param {object} run from `scenarios/flood.mjs` */
export function floodTables(run) {
  const costOf = new Map(run.costs.map(cost => [cost.name, cost]));
  const kinds = run.kinds
    .filter(({ inputs }) => inputs > 0)
    .map(({ name, inputs }) => {
      const cost = costOf.get(name);
      const figures = cost === undefined ? ['–', '–'] : [cost.processor.toFixed(2), cost.redis.toFixed(2)];
      return [name, whole(inputs), ...figures];
    });
  const memory = Object.entries(run.memory).map(([name, { startBytes, peakBytes, warm, end }]) => [
    name,
    ...[startBytes, warm?.rssBytes, end.rssBytes, peakBytes, warm?.heapBytes, end.heapBytes].map(mib),
  ]);
  const { sent, heard, p50Ms, p99Ms, maxMs, worstDelayMs, garbage } = run.bystanders;
  const { limitMs, longWaits } = run.waits;
  const lost = heard.map(({ missed, repeated }) => `${missed} missed, ${repeated} twice`).join('; ');
  return [
    `${whole(run.inputs)} inputs in ${run.seconds.toFixed(0)} s (${whole(run.inputs / run.seconds)}/s), seed ${run.seed}; ${run.problems.length} violations.`,
    table(['kind', 'inputs', 'processor time of one, in good sessions', 'Redis commands, in good sessions'], kinds),
    `Bystanders: ${whole(sent)} messages each (${lost}).`,
    `Publish to delivery of bystanders: p50 ${p50Ms?.toFixed(2)} ms, p99 ${p99Ms?.toFixed(2)} ms, max ${maxMs?.toFixed(1)} ms.`,
    `The narrator was late by at most ${worstDelayMs.toFixed(1)} ms. The edge forwarded ${whole(garbage)} unreadable bodies of tampered broadcasts.`,
    limitMs === undefined
      ? 'Waits of bystanders: not measured, because a process had ended.'
      : `${whole(longWaits)} messages waited longer than ${whole(limitMs)} ms (the baseline plus 250 ms). Their inputs were sent again; ${run.waits.problems.length} ranges delayed a message each time.`,
    table(['process', 'RSS start', 'after warm-up', 'end', 'peak', 'held heap after warm-up', 'end'], memory),
    Object.entries(run.memory)
      .map(([name, { verdict, words }]) => `Memory of ${name}: ${verdict} (${words}).`)
      .join('\n'),
    `Outcomes of connections: ${countsInWords(run.outcomes)}.`,
    `Errors that answered frames: ${countsInWords(run.refusedFrames)}.`,
    `Warnings in the logs: ${Object.entries(run.warnings)
      .map(([name, events]) => `${name}: ${countsInWords(events) || 'none'}`)
      .join('; ')}.`,
  ].join('\n\n');
}

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
