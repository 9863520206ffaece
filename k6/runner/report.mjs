/** The findings of a run, in words and as they are saved. */
import { describeMachine } from '../../tools/report/machine.mjs';

/**
 * @typedef {object} Findings
 * @property {string} scenario @property {string} name of the files, without the day @property {string} command @property {string} k6Version
 * @property {Record<string, import('./figures.mjs').Metric>} metrics
 * @property {readonly string[]} failures @property {readonly import('./watch.mjs').Sample[]} samples
 * @property {number} processes @property {number | undefined} edges @property {number} seconds
 */

/** @param {Findings} findings @returns {string} */
export function inWords(findings) {
  const { metrics, samples, failures, processes } = findings;
  const count = name => Math.round(metrics[name]?.values.count ?? 0);
  const rows = [
    [
      'connections',
      `${count('hubbub_connections_opened')} opened, ${count('hubbub_connections_failed')} failed, ${count('hubbub_connections_cut')} cut off`,
    ],
    ['messages', `${count('hubbub_messages_sent')} sent, ${count('hubbub_messages_received')} read`],
    [
      'lost',
      `${count('hubbub_messages_lost')} (repeated ${count('hubbub_messages_repeated')}, out of order ${count('hubbub_messages_disordered')}, gaps reported ${count('hubbub_room_gaps')}, errors ${count('hubbub_errors')})`,
    ],
    ...Object.entries(metrics)
      .filter(([name, { type, values }]) => type === 'trend' && name.startsWith('hubbub_') && values.count > 0)
      .map(([name, { values }]) => [titleOf(name), trendInWords(values)]),
  ];
  const { recovered = metrics.hubbub_recovered } = metrics;
  if (recovered !== undefined)
    rows.push(['recovered', `${recovered.values.passes} whole, ${recovered.values.fails} with a reported loss`]);
  const peak = peakOf(samples);
  if (peak.edgesMib > 0) {
    rows.push([
      'memory',
      `edges ${Math.round(peak.edgesMib)} MiB, k6 ${Math.round(peak.k6Mib)} MiB at most${perSocket(peak)}`,
    ]);
  }
  if (peak.slowReaders > 0) rows.push(['slow readers', `${peak.slowReaders} cut off by the edges`]);
  if (processes > 1) rows.push(['', 'percentiles are those of the worst k6 process']);
  const width = Math.max(...rows.map(([title]) => title.length));
  const verdict =
    failures.length === 0 ? ['All thresholds held.'] : ['FAILED:', ...failures.map(failure => `  ${failure}`)];
  return [...rows.map(([title, words]) => `  ${title.padEnd(width)}  ${words}`), '', ...verdict].join('\n');
}

/** @param {Findings} findings @returns {import('../../tools/report/results.mjs').Run} */
export function runOf({
  scenario,
  name = scenario,
  command,
  k6Version,
  processes,
  edges = 'foreign',
  seconds,
  ...rest
}) {
  const metrics = Object.entries(rest.metrics).filter(([metric]) => /^(hubbub_|checks|ws_)/.test(metric));
  return {
    scenario: `k6-${name}`,
    description: `k6 scenario \`${scenario}\`: ${edges} edges, ${processes} k6 processes, ${Math.round(seconds)} s`,
    command,
    machine: describeMachine({ redis: 'own', pinning: `k6 ${k6Version}` }),
    processes,
    metrics: Object.fromEntries(metrics),
    failures: rest.failures,
    samples: rest.samples,
  };
}

/** @param {import('./watch.mjs').Sample} sample */
export function sampleInWords({ second, sessions, edgesMib, k6Mib, availableMib }) {
  const free = availableMib === undefined ? '' : `, ${(availableMib / 1024).toFixed(1)} GiB free`;
  const open = sessions === undefined ? '' : `${sessions} sessions; edges ${Math.round(edgesMib)} MiB, `;
  return `  ${String(second).padStart(4)} s  ${open}k6 ${Math.round(k6Mib)} MiB${free}`;
}

/** Returns the memory per session at the largest number of sessions. */
function perSocket({ atMost }) {
  if (atMost === undefined || !(atMost.sessions >= 1000)) return '';
  const kib = mib => ((mib * 1024) / atMost.sessions).toFixed(1);
  return `; with ${atMost.sessions} sessions ${kib(atMost.edgesMib)} KiB each on the edges, ${kib(atMost.k6Mib)} KiB in k6 (whole processes divided by sessions)`;
}

function peakOf(samples) {
  const max = key => Math.max(0, ...samples.map(sample => sample[key] ?? 0));
  const most = max('sessions');
  // The last sample at the full number: memory is largest then.
  const atMost = samples.filter(({ sessions }) => sessions === most).at(-1);
  return { edgesMib: max('edgesMib'), k6Mib: max('k6Mib'), slowReaders: max('slowReaders'), atMost };
}

function titleOf(name) {
  return name
    .replace(/^hubbub_/, '')
    .replace(/_(duration|ms)/, '')
    .replace('{', ' {');
}

function trendInWords(values) {
  const ms = key => `${Math.round(values[key] ?? 0)} ms`;
  return `p50 ${ms('med')}, p95 ${ms('p(95)')}, p99 ${ms('p(99)')}, max ${ms('max')} (${Math.round(values.count)})`;
}
