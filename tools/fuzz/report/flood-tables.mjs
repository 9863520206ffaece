/** The tables of a flood. */
import { table } from '../../bench/report/tables.mjs';
import { MIB } from './memory.mjs';

const whole = number => Math.round(number).toLocaleString('en-US');
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
    `Outcomes of connections: ${counts(run.outcomes)}.`,
    `Errors that answered frames: ${counts(run.refusedFrames)}.`,
    `Warnings in the logs: ${Object.entries(run.warnings)
      .map(([name, events]) => `${name}: ${counts(events) || 'none'}`)
      .join('; ')}.`,
  ].join('\n\n');
}

function counts(of) {
  return Object.entries(of)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name}: ${whole(count)}`)
    .join(', ');
}
