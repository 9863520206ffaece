/** The load of one measurement: processes full of members, and one publisher, as seen by the run. */
import { fileURLToPath } from 'node:url';
import { startNode, stop } from '../machine/processes.mjs';
import { Histogram } from './histogram.mjs';
import { commander } from './orders.mjs';

const MEMBERS_PROCESS = fileURLToPath(new URL('members-process.mjs', import.meta.url));
const PUBLISHER_PROCESS = fileURLToPath(new URL('publisher-process.mjs', import.meta.url));
const STOP_WITHIN_MS = 5000;

/**
 * @param {{ name: string, file: string, cpus: string | undefined }} options
 * @returns a process that takes orders
 */
export function startWorker({ name, file, cpus }) {
  const child = startNode([file], { name, cpus, ipc: true });
  const order = commander(child, name);
  return {
    pid: child.pid,
    order,
    async close() {
      await order('close', {}, STOP_WITHIN_MS).catch(() => {}); // Ended already, or stuck: stopped below.
      await stop(child);
    },
  };
}

/** @param {{ processes: number, cpus: string | undefined }} options */
export function startMembers({ processes, cpus }) {
  const workers = Array.from({ length: processes }, (_, i) =>
    startWorker({ name: `members ${i + 1}`, file: MEMBERS_PROCESS, cpus }),
  );
  return {
    pids: workers.map(worker => worker.pid),
    /** Resolves when all are in the room. @param {{ requests: object[] }} order shared out among the processes */
    connect: ({ requests, ...order }) =>
      Promise.all(
        workers.map((worker, i) =>
          worker.order('connect', { ...order, requests: requests.filter((_, n) => n % processes === i) }),
        ),
      ),
    openWindow: order => Promise.all(workers.map(worker => worker.order('openWindow', order))),
    settle: async order =>
      merge(await Promise.all(workers.map(worker => worker.order('settle', order, order.withinMs + 30_000)))),
    close: () => Promise.all(workers.map(worker => worker.close())),
  };
}

/** @param {{ cpus: string | undefined }} options */
export function startPublisher({ cpus }) {
  const worker = startWorker({ name: 'publisher', file: PUBLISHER_PROCESS, cpus });
  return {
    pids: [worker.pid],
    open: order => worker.order('open', order),
    publish: order => worker.order('publish', order, order.forMs + 30_000),
    close: worker.close,
  };
}

/** What several processes of members report, as if one had held them all. */
function merge(reports) {
  const latencies = new Histogram();
  for (const report of reports) latencies.add(new Histogram(report.latencies));
  const sum = read => reports.reduce((total, report) => total + read(report), 0);
  return {
    received: sum(report => report.received),
    deliveredInWindow: sum(report => report.deliveredInWindow),
    lost: sum(report => report.lost),
    late: sum(report => report.late),
    repeated: sum(report => report.repeated),
    otherFrames: sum(report => report.otherFrames),
    ended: reports.flatMap(report => report.ended),
    latencies,
  };
}
