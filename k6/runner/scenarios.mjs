/** The runner's plan of each scenario: edges, k6 processes, faults, and checks beyond the thresholds of k6. */
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * @typedef {object} Plan
 * @property {string} description for people
 * @property {number} edges of the started cluster
 * @property {readonly string[]} settings as options of the command line: `--talk-s 60` sets LOAD_TALK_S
 * @property {readonly (string | undefined)[]} [roles] one k6 process each; by default one process runs all parts
 * @property {Record<string, number>} [env] LOAD_* variables of a cluster that the runner started
 * @property {(run: Run) => Promise<void>} [fault] executed during the load, on a cluster that the runner started
 * @property {boolean} [faultNeedsNoCluster]
 * @property {(samples: readonly import('./watch.mjs').Sample[]) => string[]} [verdicts] problems beyond thresholds
 * @property {boolean} [scales] whether --connections is shared between --processes
 */

/**
 * @typedef {object} Run
 * @property {Awaited<ReturnType<typeof import('./cluster.mjs').startCluster>>} cluster
 * @property {readonly ReturnType<typeof import('./load-process.mjs').startLoad>[]} loads
 * @property {(second: number) => Promise<void>} until @property {(words: string) => void} log
 * @property {Record<string, number>} settings as given on the command line
 */

/** Allowed growth: heaps vary. */
const GROWTH_LIMIT = 1.25;
const GROWTH_SPARE_MIB = 32;
/** Fewer samples do not show growth. */
const SAMPLES_FOR_GROWTH = 12;

/** @type {Record<string, Plan>} */
export const PLANS = {
  smoke: {
    description: 'basic function: 20 sockets, JSON and MessagePack, 10 s',
    edges: 2,
    settings: ['vus', 'rooms', 'room-size', 'rate', 'open-s', 'talk-s', 'p99-ms'],
  },
  'steady-chat': {
    description: '400 sockets in 40 rooms, 200 messages a second, 70 s: latency',
    edges: 2,
    settings: ['vus', 'rooms', 'room-size', 'rate', 'open-s', 'talk-s', 'p95-ms', 'p99-ms'],
  },
  ramp: {
    description:
      'up to 100,000 connections over several k6 processes (--connections, --processes, --edges); each must receive a message',
    edges: 2,
    settings: ['room-size', 'rooms', 'open-s', 'hold-s', 'speak-s', 'connect-p99-ms'],
    scales: true,
  },
  'reconnect-storm': {
    description:
      '2,000 sockets cut simultaneously, then an edge killed: all resume with full jitter and miss nothing, 55 s',
    edges: 3,
    settings: ['vus', 'rooms', 'room-size', 'rate', 'open-s', 'cut-after-s', 'talk-s', 'return-p99-ms', 'history'],
    env: { LOAD_KILLS_EDGE: 1 },
    async fault({ cluster, until, log, settings }) {
      const { 'open-s': openS = 15, 'cut-after-s': cutAfterS = 5 } = settings;
      await until(openS + cutAfterS + 12);
      const edge = cluster.edges.at(-1);
      void edge.kill();
      log(`Killed ${edge.name}.`);
    },
  },
  spike: {
    description: '100 talking sockets, then 2,000 more within 5 s, for 10 s: latency of the first ones, 45 s',
    edges: 2,
    settings: [
      'open-s',
      'before-s',
      'spike-open-s',
      'spike-hold-s',
      'after-s',
      'rate',
      'base-rooms',
      'crowd-vus',
      'crowd-rooms',
      'room-size',
      'p99-ms',
      'spike-p99-ms',
      'connect-p99-ms',
    ],
    roles: ['base', 'crowd'],
  },
  soak: {
    description:
      '200 sockets that talk, join and leave for half an hour (--talk-s): latency, losses, and memory of the edges',
    edges: 2,
    settings: ['vus', 'rooms', 'room-size', 'rate', 'churn-ms', 'open-s', 'talk-s', 'p95-ms', 'p99-ms'],
    verdicts: growth,
  },
  'slow-readers': {
    description: 'half of the listeners in a busy room stop reading for 45 s: the others must not notice, 85 s',
    edges: 2,
    settings: [
      'rooms',
      'room-size',
      'slow',
      'rate',
      'padding-bytes',
      'open-s',
      'talk-s',
      'freeze-at-s',
      'freeze-s',
      'p99-ms',
    ],
    roles: ['steady', 'slow'],
    async fault({ loads, until, log, settings }) {
      const { 'freeze-at-s': freezeAtS = 15, 'freeze-s': freezeS = 45 } = settings;
      const slow = loads[1];
      await until(freezeAtS);
      slow.process.pause();
      log('Froze the slow readers.');
      try {
        await until(freezeAtS + freezeS);
      } finally {
        slow.process.resume();
        log('Resumed the slow readers.');
      }
    },
    faultNeedsNoCluster: true,
    verdicts: samples =>
      samples.some(({ slowReaders }) => slowReaders > 0)
        ? []
        : ['no edge had a slow reader: the buffers held every message, so the run proves nothing; raise --freeze-s'],
  },
};

/** Judges long runs: compares the memory of the last quarter with the second. */
function growth(samples) {
  const alive = samples.filter(({ sessions = 0, edgesMib }) => sessions > 0 && edgesMib > 0);
  if (alive.length < SAMPLES_FOR_GROWTH) return [];
  const quarter = Math.floor(alive.length / 4);
  const before = median(alive.slice(quarter, 2 * quarter).map(({ edgesMib }) => edgesMib));
  const after = median(alive.slice(-quarter).map(({ edgesMib }) => edgesMib));
  if (after <= before * GROWTH_LIMIT + GROWTH_SPARE_MIB) return [];
  return [`memory of the edges grew from ${Math.round(before)} MiB to ${Math.round(after)} MiB`];
}

function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

/** Resolves at a second of the timetable. */
export function untilSecond(startAt) {
  return second => sleep(Math.max(startAt + second * 1000 - Date.now(), 0));
}
