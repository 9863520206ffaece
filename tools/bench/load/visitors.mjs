/** Controls all processes that offer load at a fixed rate. */
import { fileURLToPath } from 'node:url';
import { Worker } from '@hubbub/tools/kit';
import { Histogram } from './histogram.mjs';

const FILE = fileURLToPath(new URL('visitors-process.mjs', import.meta.url));
const SPARE_MS = 60_000;
/** Numbers of the visitors of one process: more than any run has. */
const NUMBERS_EACH = 1_000_000;
/** Source addresses of each process: none of them runs out of ports. */
const ADDRESSES_EACH = 16;

/** @param {{ processes: number, cpus: string | undefined }} options */
export function startVisitors({ processes, cpus }) {
  const workers = Array.from({ length: processes }, (_, i) =>
    Worker.start({ name: `visitors ${i + 1}`, file: FILE, cpus }),
  );
  const all = (command, orderOf = () => ({}), withinMs = SPARE_MS) =>
    Promise.all(workers.map((worker, i) => worker.order(command, orderOf(i), withinMs + SPARE_MS)));
  const sum = numbers => numbers.reduce((total, number) => total + number, 0);
  return {
    pids: workers.map(({ pid }) => pid),
    prepare: order =>
      all('prepare', i => ({
        ...order,
        first: i * NUMBERS_EACH,
        addresses: Array.from({ length: ADDRESSES_EACH }, (_, k) => `127.3.${1 + i}.${1 + k}`),
      })),
    /** `count` and `atOnce` are those of all processes together. */
    fill: async ({ count, atOnce, withinMs }) =>
      sum(await all('fill', () => ({ count: count / processes, atOnce: atOnce / processes, withinMs }), withinMs)),
    async offer({ perSecond, ...order }) {
      const own = { ...order, perSecond: perSecond / processes };
      const reports = await all('offer', () => own, order.forMs);
      return sum(reports.map(({ offered }) => offered));
    },
    async counts() {
      const reports = await all('counts');
      const names = Object.keys(reports[0].counts);
      return {
        ...Object.fromEntries(names.map(name => [name, sum(reports.map(({ counts }) => counts[name]))])),
        latencies: Histogram.sum(reports.map(({ latencies }) => latencies)),
        isIn: sum(reports.map(({ isIn }) => isIn)),
        clients: sum(reports.map(({ clients }) => clients)),
      };
    },
    settle: async ({ withinMs }) => sum(await all('settle', () => ({ withinMs }), withinMs)),
    close: () => Promise.all(workers.map(worker => worker.close())),
  };
}
