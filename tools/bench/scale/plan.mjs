/** Plans the number of processes for the connections: open files per process are limited at both ends. */
import { spawnSync } from 'node:child_process';
import { Command } from 'commander';
import { wholeNumber } from '../../command-line.mjs';

/** Descriptors of a process for other purposes than its clients. */
const SPARE_DESCRIPTORS = 1000;
/** More connections in one process bring no benefit. */
const PER_EDGE_MAX = 50_000;
/** So that clients receive faster than edges send. */
const PER_CROWD_MAX = 15_000;
/** With small heaps: fewer processes, because each costs memory. */
const PER_CROWD_MAX_SMALL = 50_000;
/** One edge is killed and one drained: the others must hold all clients. */
const EDGES_THAT_GO = 2;
const EDGES_MIN = 3;

const wholeOr = (word, min, max) => text => (text === word ? text : wholeNumber(min, max)(text));

/** @param {(plan: object) => Promise<void>} run */
export function scaleCommand(run) {
  return new Command('npm run scale --')
    .description('Runs a whole cluster on this machine: opens connections, kills one edge, drains another.')
    .option('--connections <n>', 'clients, each with a token and in one room', wholeNumber(10, 2_000_000), 100_000)
    .option(
      '--edges <n>',
      'edges; auto: as many as the limit of open files requires',
      wholeOr('auto', EDGES_MIN, 500),
      'auto',
    )
    .option('--per-room <n>', 'members of a room', wholeNumber(1, 100_000), 10)
    .option(
      '--edges-per-room <n>',
      'edges that the members of a room are spread over, or all',
      wholeOr('all', 1, 500),
      'all',
    )
    .option('--rate <n>', 'messages a second, to one room after another', wholeNumber(1, 10_000), 100)
    .option(
      '--seconds <n>',
      'duration of the steady load, in which one edge is killed and another drained',
      wholeNumber(10, 3600),
      40,
    )
    .option(
      '--idle-timeout <seconds>',
      'of the edges; with a million connections, pings of 60 s would take most of a core',
      wholeNumber(8, 960),
      60,
    )
    .option('--no-bare', 'skip the same connections to bare relays, the baseline')
    .option('--small-heaps', 'V8 keeps heaps small, at the cost of processor time: for more connections', false)
    .option('--profile', 'CPU profiles of presence and the edges to .cache/profiles/scale; writes no report', false)
    .option('--no-report', 'writes nothing to tools/results')
    .action(options => run(planOf(options)));
}

/** @throws {Error} if the connections exceed the limits, with the limit */
function planOf({ report, ...options }) {
  const { connections, smallHeaps, profile } = options;
  const descriptors = openFilesLimit();
  const perEdge = Math.min(PER_EDGE_MAX, descriptors - SPARE_DESCRIPTORS);
  if (perEdge < 1000)
    throw new Error(`A process may open only ${descriptors} files: raise the hard limit (ulimit -Hn).`);
  const least = Math.max(EDGES_MIN, Math.ceil(connections / perEdge) + EDGES_THAT_GO);
  const edges = options.edges === 'auto' ? least : options.edges;
  if (edges < least) throw new Error(`--edges must be at least ${least} for ${connections} connections.`);
  const perCrowd = Math.min(smallHeaps ? PER_CROWD_MAX_SMALL : PER_CROWD_MAX, perEdge);
  return {
    ...options,
    descriptors,
    edges,
    crowds: Math.max(2, Math.ceil(connections / perCrowd)),
    edgesPerRoom: options.edgesPerRoom === 'all' ? edges : options.edgesPerRoom,
    writesReport: report && !profile,
  };
}

function openFilesLimit() {
  const limit = spawnSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).stdout.trim();
  return limit === 'unlimited' ? 1_048_576 : Number(limit);
}
