/** Controls all clients of a run that return, in as many processes as they need. */
import { fileURLToPath } from 'node:url';
import { Worker } from '@hubbub/tools/kit';
import pLimit from 'p-limit';
import { Histogram } from './histogram.mjs';

const FILE = fileURLToPath(new URL('crowd-process.mjs', import.meta.url));
/** Handshakes in flight in all processes: enough that the edges limit the rate, and not the round trip to Redis. */
const AT_ONCE = 1000;
/** A hundred busy processes on few cores would spend their time in waiting for each other. */
const PROCESSES_AT_ONCE = 8;
/** Of each process. Waiting clients are not in the edge's queue, but their time counts from the start. */
const RESUMING_AT_ONCE = 250;
/**
 * Source addresses of each process. At each bind the kernel searches a free port of the source address.
 * With few connections per address that search takes no time, so it does not affect the figures.
 */
const ADDRESSES_EACH = 8;
/** `each`: per connection, with all processes on few cores; `beside`: added once. */
const CONNECT_WITHIN_MS = { each: 3, beside: 300_000 };
const ORDER_WITHIN_MS = 120_000;

/** @param {{ processes: number, connections: number, rooms: readonly string[], edgesPerRoom?: number, nodeArgs?: readonly string[], cpus?: string }} options */
export function startCrowd({ processes, connections, rooms, edgesPerRoom = 1, nodeArgs, cpus }) {
  const workers = Array.from({ length: processes }, (_, i) =>
    Worker.start({ name: `clients ${i + 1}`, file: FILE, nodeArgs, cpus }),
  );
  const all = (command, orderOf = () => ({}), withinMs = ORDER_WITHIN_MS) =>
    Promise.all(workers.map((worker, i) => worker.order(command, orderOf(i), withinMs)));
  let preparations = 0;
  const firstOf = i => Math.floor((i * connections) / processes);
  return {
    pids: workers.map(({ pid }) => pid),
    prepare: ({ originUs, dialect }) => {
      preparations++; // New addresses: ports of the last ones are still in TIME_WAIT.
      return all('prepare', i => ({
        originUs,
        dialect,
        rooms,
        edgesPerRoom,
        localAddresses: Array.from({ length: ADDRESSES_EACH }, (_, k) => `127.${preparations}.${1 + i}.${1 + k}`),
        first: firstOf(i),
        count: firstOf(i + 1) - firstOf(i),
      }));
    },
    at: ports => all('at', () => ({ ports })),
    connect: () => {
      const withinMs = CONNECT_WITHIN_MS.beside + connections * CONNECT_WITHIN_MS.each;
      const order = { atOnce: Math.ceil(AT_ONCE / Math.min(processes, PROCESSES_AT_ONCE)) };
      const few = pLimit(PROCESSES_AT_ONCE);
      return Promise.all(workers.map(worker => few(() => worker.order('connect', order, withinMs))));
    },
    hold: () => all('hold'),
    gone: () => all('gone'),
    /** @returns {Promise<{ openUs: number[], wholeUs: number[], refused: number, replayed: number }[]>} of each process */
    resume: ({ withinMs }) => all('resume', () => ({ atOnce: RESUMING_AT_ONCE, withinMs }), withinMs + ORDER_WITHIN_MS),
    progress: async () => sums(await all('progress')),
    latencies: async () => Histogram.sum(await all('latencies')),
    async settle(order) {
      const reports = await all('settle', () => order, order.withinMs + ORDER_WITHIN_MS);
      const { troubles, ...checks } = sums(reports.map(({ troubles: _, ...report }) => report));
      const notice = {};
      for (const [what, count] of reports.flatMap(report => report.troubles))
        notice[what] = (notice[what] ?? 0) + count;
      return { ...checks, troubles: notice };
    },
    disconnect: () => all('disconnect'),
    close: () => Promise.all(workers.map(worker => worker.close())),
  };
}

/** @param {readonly Record<string, number>[]} reports */
function sums(reports) {
  return Object.fromEntries(
    Object.keys(reports[0]).map(key => [key, reports.reduce((total, report) => total + report[key], 0)]),
  );
}
