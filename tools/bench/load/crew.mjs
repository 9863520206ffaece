/** The load of one measurement as the run controls it: processes full of members, and a publisher. */
import { fileURLToPath } from 'node:url';
import { startNode, stop } from '../machine/processes.mjs';
import { Histogram } from './histogram.mjs';
import { commander } from './orders.mjs';

const MEMBERS_PROCESS = fileURLToPath(new URL('members-process.mjs', import.meta.url));
const PUBLISHER_PROCESS = fileURLToPath(new URL('publisher-process.mjs', import.meta.url));
const STOP_WITHIN_MS = 5000;
/** Added to the time limit of an order. */
const SPARE_MS = 30_000;
const CONNECT_WITHIN_MS = 120_000;

/**
 * @param {{ name: string, file: string, cpus: string | undefined, nodeArgs?: readonly string[] }} options
 * @returns a process that takes orders
 */
export function startWorker({ name, file, cpus, nodeArgs = [] }) {
  const child = startNode([...nodeArgs, file], { name, cpus, ipc: true });
  const order = commander(child, name);
  return {
    pid: child.pid,
    order,
    async close() {
      await order('close', {}, STOP_WITHIN_MS).catch(() => {}); // It has ended, or `stop` ends it.
      await stop(child);
    },
  };
}

/** @param {{ processes: number, cpus: string | undefined }} options */
export function startMembers({ processes, cpus }) {
  const workers = Array.from({ length: processes }, (_, i) =>
    startWorker({ name: `members ${i + 1}`, file: MEMBERS_PROCESS, cpus }),
  );
  const all = async (command, orderOf, withinMs) =>
    Promise.all(workers.map((worker, i) => worker.order(command, orderOf(i), withinMs)));
  return {
    pids: workers.map(worker => worker.pid),
    /** @param {{ originUs: number, dialect: string, requests: import('./member.mjs').MemberRequest[] }} order shared out among the processes */
    prepare: ({ requests, ...order }) =>
      all('prepare', i => ({ ...order, requests: requests.filter((_, n) => n % processes === i) })),
    /** Joins or rejoins all rooms; resolves with the time of each join. @param {{ port: number, atOnce: number }} order */
    connect: async order => (await all('connect', () => order, CONNECT_WITHIN_MS)).flat(),
    gone: () => all('gone', () => ({}), SPARE_MS),
    /** Returns the reason of each connection that ended. */
    ended: async () => (await all('ended', () => ({}))).flat(),
    openWindow: order => all('openWindow', () => order),
    /** The rate is that of all talkers together. */
    async talk({ perSecond, forMs, talkersOf }) {
      const order = { perSecond: perSecond / processes, forMs, talkersOf };
      const reports = await all('talk', () => order, forMs + SPARE_MS);
      return {
        published: reports.flatMap(({ published }) => published),
        worstDelayMs: Math.max(...reports.map(({ worstDelayMs }) => worstDelayMs)),
      };
    },
    hush: () => all('hush', () => ({})),
    settle: async order => merge(await all('settle', () => order, order.withinMs + SPARE_MS)),
    close: () => Promise.all(workers.map(worker => worker.close())),
  };
}

/** @param {{ cpus: string | undefined }} options */
export function startPublisher({ cpus }) {
  const worker = startWorker({ name: 'publisher', file: PUBLISHER_PROCESS, cpus });
  return {
    pids: [worker.pid],
    open: order => worker.order('open', order),
    publish: order => worker.order('publish', order, order.forMs + SPARE_MS),
    close: worker.close,
  };
}

/** Merges the reports of several processes of members into one. */
function merge(reports) {
  const sum = key => reports.reduce((total, report) => total + report[key], 0);
  return {
    received: sum('received'),
    deliveredInWindow: sum('deliveredInWindow'),
    lost: sum('lost'),
    late: sum('late'),
    repeated: sum('repeated'),
    otherFrames: sum('otherFrames'),
    ended: reports.flatMap(report => report.ended),
    troubles: reports.flatMap(report => report.troubles),
    latencies: Histogram.sum(reports.map(report => report.latencies)),
    acks: Histogram.sum(reports.map(report => report.acks)),
  };
}
