/** How many processes so many connections ask for: what a process may open is limited, at both ends. */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

/** Descriptors of a process that are none of its clients'. */
const SPARE_DESCRIPTORS = 1000;
/** More in one process makes nothing better. */
const PER_EDGE_MAX = 50_000;
/** So that clients do not take longer for what comes than edges for what they send. */
const PER_CROWD_MAX = 15_000;
/** As many as the limit of open files allows: processes cost memory, too. */
const PER_CROWD_MAX_SMALL = 50_000;
/** One edge is killed and one drained: the others have to take everybody. */
const EDGES_THAT_GO = 2;
const EDGES_MIN = 3;

export const USAGE = `npm run scale -- [options]

  --connections n   clients, each with a token and in one room (100000)
  --edges n|auto    edges; auto: as many as the limit of open files asks for, so that two of them may go
  --per-room n      members of a room (10)
  --edges-per-room n|all   edges that the members of a room are spread over (all: as a balancer does that knows nothing of rooms)
  --rate n          messages a second, round the rooms (100)
  --seconds n       of steady load, in which one edge is killed and another one drained (40)
  --no-bare         without the same connections to bare relays before, as the measure
  --small-heaps     V8 keeps the heaps of edges, presence and clients small, for more processor: for more than fit otherwise
  --profile         CPU profiles of presence and the edges to bench/profiles/scale; writes no report
  --no-report       writes nothing to bench/results`;

/** @param {readonly string[]} args @throws {Error} with what would be right */
export function readPlan(args) {
  const text = { type: 'string' };
  const flag = { type: 'boolean', default: false };
  const { values } = parseArgs({
    args: args.filter(argument => argument !== '--'),
    options: {
      connections: text,
      edges: text,
      'per-room': text,
      'edges-per-room': text,
      rate: text,
      seconds: text,
      'no-bare': flag,
      'small-heaps': flag,
      profile: flag,
      'no-report': flag,
      help: flag,
    },
  });
  const connections = whole('connections', values.connections ?? '100000', 10, 2_000_000);
  const descriptors = openFilesLimit();
  const perEdge = Math.min(PER_EDGE_MAX, descriptors - SPARE_DESCRIPTORS);
  if (perEdge < 1000)
    throw new Error(`A process may open ${descriptors} files only: raise the hard limit (ulimit -Hn).`);
  const least = Math.max(EDGES_MIN, Math.ceil(connections / perEdge) + EDGES_THAT_GO);
  const edges = (values.edges ?? 'auto') === 'auto' ? least : whole('edges', values.edges, EDGES_MIN, 500);
  if (edges < least) throw new Error(`--edges: ${connections} connections need ${least}, so that two may go.`);
  return {
    connections,
    descriptors,
    edges,
    crowds: Math.max(
      2,
      Math.ceil(connections / Math.min(values['small-heaps'] ? PER_CROWD_MAX_SMALL : PER_CROWD_MAX, perEdge)),
    ),
    perRoom: whole('per-room', values['per-room'] ?? '10', 1, 100_000),
    edgesPerRoom:
      (values['edges-per-room'] ?? 'all') === 'all'
        ? edges
        : whole('edges-per-room', values['edges-per-room'], 1, edges),
    rate: whole('rate', values.rate ?? '100', 1, 10_000),
    seconds: whole('seconds', values.seconds ?? '40', 10, 3600),
    bare: !values['no-bare'],
    smallHeaps: values['small-heaps'],
    profile: values.profile,
    writesReport: !(values['no-report'] || values.profile),
    help: values.help,
  };
}

function openFilesLimit() {
  const limit = spawnSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).stdout.trim();
  return limit === 'unlimited' ? 1_048_576 : Number(limit);
}

function whole(name, text, min, max) {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new Error(`--${name}: expected a whole number from ${min} to ${max}, got "${text}".`);
}
