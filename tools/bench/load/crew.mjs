/** The load of one measurement as the run controls it: processes full of members, and a publisher. */
import { fileURLToPath } from 'node:url';
import { Worker } from '@hubbub/tools/kit';
import { Histogram } from './histogram.mjs';

const MEMBERS_PROCESS = fileURLToPath(new URL('members-process.mjs', import.meta.url));
const PUBLISHER_PROCESS = fileURLToPath(new URL('publisher-process.mjs', import.meta.url));
/** Added to the time limit of an order. */
const SPARE_MS = 30_000;
const CONNECT_WITHIN_MS = 120_000;

/** @param {{ processes: number, cpus: string | undefined }} options */
export function startMembers({ processes, cpus }) {
  const workers = Array.from({ length: processes }, (_, i) =>
    Worker.start({ name: `members ${i + 1}`, file: MEMBERS_PROCESS, cpus }),
  );
  const all = async (command, orderOf, withinMs) =>
    Promise.all(workers.map((worker, i) => worker.order(command, orderOf(i), withinMs)));
  return {
    pids: workers.map(worker => worker.pid),
    /** @param {{ originUs: number, dialect: string, requests: import('./member.mjs').MemberRequest[] }} order shared out among the processes */
    prepare: ({ requests, ...order }) =>
      all('prepare', i => ({ ...order, requests: requests.filter((_, n) => n % processes === i) })),
    /** Joins or rejoins all rooms; resolves with the time of each join. @param {{ ports: readonly number[], atOnce: number }} order */
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
  const worker = Worker.start({ name: 'publisher', file: PUBLISHER_PROCESS, cpus });
  return {
    pids: [worker.pid],
    open: order => worker.order('open', order),
    publish: order => worker.order('publish', order, order.forMs + SPARE_MS),
    close: () => worker.close(),
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

/**
 * @param {{ rooms: readonly string[], members: number, talkers?: number, relay: import('../relays/catalogue.mjs').Relay,
 *   running: import('../relays/catalogue.mjs').RunningRelay }} options members and talkers of each room
 * @returns {import('./member.mjs').MemberRequest[]}
 */
export function requestsOf({ rooms, members, talkers = 0, relay, running }) {
  return rooms.flatMap((roomName, room) =>
    Array.from({ length: members + talkers }, (_, i) => {
      const member = room * (members + talkers) + i;
      const headers = running.headers(member, relay.subprotocol?.(member));
      return { room, roomName, headers, ...(i < talkers && { talks: true }) };
    }),
  );
}

/** The ports that members take in turn. @param {import('../relays/catalogue.mjs').RunningRelay} running */
export function portsOf({ port, ports = [port] }) {
  return ports;
}

/** Names of one length. @param {number} count @returns {string[]} */
export function roomNames(count, prefix = 'room-') {
  return Array.from({ length: count }, (_, i) => `${prefix}${String(i).padStart(5, '0')}`);
}

/** Members that justify another process, where there are cores for it. */
const MEMBERS_PER_PROCESS_MIN = 250;
const LOAD_PROCESSES_MAX = 4;

/** @param {number} members @param {import('../machine/pinning.mjs').Pinning} pinning */
export function processesFor(members, { loadCores }) {
  return Math.max(1, Math.min(loadCores, LOAD_PROCESSES_MAX, Math.floor(members / MEMBERS_PER_PROCESS_MIN)));
}
