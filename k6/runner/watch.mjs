/** Polls edges and k6 processes every few seconds: sessions, memory, slow readers. */
import { readFileSync } from 'node:fs';

const INTERVAL_MS = 5000;
/** The run ends below this free memory, to protect the machine. */
const LEAST_AVAILABLE_MIB = 3072;

/**
 * @typedef {object} Sample
 * @property {number} second since the watch began
 * @property {number | undefined} sessions on all edges; `undefined` for an existing cluster
 * @property {number} slowReaders
 * @property {number} edgesMib resident memory of all edges
 * @property {number} k6Mib of all k6 processes
 * @property {number | undefined} availableMib of the machine
 */

/**
 * @param {{ edges: readonly import('./cluster.mjs').ClusterProcess[], loadPids: readonly number[],
 *   onSample: (sample: Sample) => void, onExhausted: () => void }} options
 */
export function watch({ edges, loadPids, onSample, onExhausted }) {
  const startedAt = performance.now();
  /** @type {Sample[]} */
  const samples = [];
  let looking = false;
  const look = async () => {
    if (looking) return;
    looking = true;
    const counts = await Promise.all(edges.map(countsOf));
    const sample = {
      second: Math.round((performance.now() - startedAt) / 1000),
      sessions: edges.length === 0 ? undefined : total(counts.map(({ sessions }) => sessions)),
      slowReaders: total(counts.map(({ slowReaders }) => slowReaders)),
      edgesMib: total(edges.map(({ pid }) => residentMib(pid))),
      k6Mib: total(loadPids.map(residentMib)),
      availableMib: availableMib(),
    };
    samples.push(sample);
    onSample(sample);
    if (sample.availableMib !== undefined && sample.availableMib < LEAST_AVAILABLE_MIB) onExhausted();
    looking = false;
  };
  const timer = setInterval(look, INTERVAL_MS);
  return {
    samples,
    async end() {
      clearInterval(timer);
      await look();
      return samples;
    },
  };
}

/** A killed edge has no counts. */
async function countsOf({ adminUrl, child }) {
  if (child.exitCode !== null || child.signalCode !== null) return { sessions: 0, slowReaders: 0 };
  const text = await fetch(`${adminUrl}/metrics`, { signal: AbortSignal.timeout(INTERVAL_MS) })
    .then(answer => answer.text())
    .catch(() => ''); // Too busy to answer; the next sample follows.
  return {
    sessions: metricIn(text, 'hubbub_edge_sessions'),
    slowReaders: metricIn(text, 'hubbub_edge_slow_readers_total'),
  };
}

function metricIn(text, name) {
  const match = new RegExp(`^${name}(?:\\{[^}]*\\})? ([0-9.e+]+)$`, 'm').exec(text);
  return match === null ? 0 : Number(match[1]);
}

/** Linux only: elsewhere 0. */
function residentMib(pid) {
  const [, kib = '0'] = /^VmRSS:\s+(\d+)/m.exec(readProc(`/proc/${pid}/status`)) ?? [];
  return Number(kib) / 1024;
}

function availableMib() {
  const [, kib] = /^MemAvailable:\s+(\d+)/m.exec(readProc('/proc/meminfo')) ?? [];
  return kib === undefined ? undefined : Number(kib) / 1024;
}

function readProc(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // The process has ended, or the system is not Linux.
  }
}

function total(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0);
}
