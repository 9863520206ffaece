/** Polls edges and k6 processes every few seconds: sessions, memory, slow readers. */
import { readMetrics } from '@hubbub/tools/kit';
import { availableBytes, residentBytes } from '../../tools/bench/machine/usage.mjs';

const INTERVAL_MS = 5000;
/** The run ends below this free memory, to protect the machine. */
const LEAST_AVAILABLE_MIB = 3072;
const MIB = 2 ** 20;

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
 * @param {{ edges: readonly import('@hubbub/tools/kit').HubbubProcess[], loadPids: readonly number[],
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
      availableMib: Number.isNaN(availableBytes()) ? undefined : availableBytes() / MIB,
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
async function countsOf(edge) {
  if (!edge.isRunning) return { sessions: 0, slowReaders: 0 };
  const metrics = await readMetrics(edge).catch(() => new Map()); // Too busy to answer; the next sample follows.
  return {
    sessions: metrics.get('hubbub_edge_sessions') ?? 0,
    slowReaders: metrics.get('hubbub_edge_slow_readers_total') ?? 0,
  };
}

/** Linux only: elsewhere, and of an ended process, 0. */
function residentMib(pid) {
  return (residentBytes(pid) || 0) / MIB;
}

function total(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0);
}
