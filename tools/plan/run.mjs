/** Plans a cluster with the measured constants: `npm run plan -- --sessions 10000000`, or `node tools/plan/run.mjs`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '@hubbub/tools/kit';
import { Command } from 'commander';
import { constantsOf } from '../bench/capacity/constants.mjs';
import { rounded } from '../bench/capacity/summary.mjs';
import { runTool, wholeNumber } from '../command-line.mjs';
import { table, whole } from '../report/tables.mjs';
import { planCluster } from './model.mjs';

const RESULTS = 'tools/results/capacity.json';
const MAX = 1_000_000_000;
const MEMBERS = 10;
const SECONDS_PER_MESSAGE = 100;
const DRAIN_SECONDS = 10;

if (process.argv[1] === import.meta.filename) {
  await runTool(
    'plan',
    planCommand(options => console.log(planText(options, savedConstants()))),
  );
}

/** Returns the output of the command. @param {readonly string[]} args @param {import('../report/results.mjs').Run} run of the capacity benchmark */
export function outputOf(args, run) {
  let output;
  planCommand(options => (output = planText(options, constantsOf(run)))).parse(args, { from: 'user' });
  return output;
}

function savedConstants() {
  return constantsOf(JSON.parse(readFileSync(join(ROOT, RESULTS), 'utf8')));
}

function planCommand(run) {
  const count = (min = 0) => wholeNumber(min, MAX);
  return new Command('npm run plan --')
    .description('Computes the size of a cluster, the load of each part, and the first bottleneck (docs/capacity.md).')
    .option('--sessions <n>', 'open connections', count(1), 1_000_000)
    .option('--rooms <n>', `default: as many as give each ${MEMBERS} members`, count(1))
    .option('--rooms-per-session <n>', 'rooms that a session is in', count(1), 1)
    .option('--sessions-per-user <n>', 'sessions of one user on one edge', count(1), 1)
    .option(
      '--rate <n>',
      `messages a second in all rooms; default: one per session in ${SECONDS_PER_MESSAGE} s`,
      count(),
    )
    .option('--bytes <n>', 'bytes of a message', count(1), 200)
    .option('--from-services', 'services send the messages, not clients', false)
    .option('--history <n>', 'messages that each room keeps; 0: no history', count(), 0)
    .option(
      '--spread <percent>',
      'rooms with members on edges at random; each other room is on one edge',
      wholeNumber(0, 100),
      100,
    )
    .option('--no-presence', 'no rosters')
    .option(
      '--joins <n>',
      `connections a second in a reconnect storm; default: one edge within ${DRAIN_SECONDS} s`,
      count(),
    )
    .option('--sessions-per-edge <n>', 'at most', count(1), 50_000)
    .option('--spare-edges <n>', 'edges that may fail or drain together', count(), 2)
    .option('--replicas <n>', 'of each Redis primary', count(), 1)
    .option('--load <percent>', 'of a core that may be used', wholeNumber(1, 100), 60)
    .option('--turn-ms <n>', 'longest turn of a process: the most that a message waits there', count(1), 5)
    .option('--edges <n>', 'default: as many as needed', count(1))
    .option('--primaries <n>', 'Redis primaries; default: as many as needed', count(1))
    .option('--instances <n>', 'presence instances; default: as many as needed', count(2))
    .option('--redis-gib <n>', 'memory of a Redis primary, GiB', count(1), 16)
    .option('--edge-gib <n>', 'memory of an edge, GiB', count(1), 2)
    .option('--presence-gib <n>', 'memory of a presence instance, GiB', count(1), 2)
    .option('--mbit <n>', 'network of one process, Mbit/s', count(1), 1000)
    .action(run);
}

/** @returns {import('./model.mjs').Input} */
function inputOf({ fromServices, turnMs, edges, primaries, instances, ...options }) {
  const { sessions, roomsPerSession, sessionsPerEdge, spread, load } = options;
  return {
    ...options,
    rooms: options.rooms ?? Math.ceil((sessions * roomsPerSession) / MEMBERS),
    rate: options.rate ?? Math.ceil(sessions / SECONDS_PER_MESSAGE),
    joins: options.joins ?? Math.ceil(Math.min(sessions, sessionsPerEdge) / DRAIN_SECONDS),
    turnSeconds: turnMs / 1000,
    fixed: { ...(edges && { edges }), ...(primaries && { primaries }), ...(instances && { instances }) },
    from: fromServices ? 'services' : 'clients',
    spread: spread / 100,
    load: load / 100,
  };
}

function planText(options, constants) {
  const input = inputOf(options);
  const { counts, resources, bottleneck, fits, figures } = planCluster(input, constants);
  const { edges, primaries, instances } = counts;
  const { replicas } = input;
  const kept = input.history > 0 ? `a history of ${input.history}` : 'no history';
  const spare = `${input.spareEdges} of them spare`;
  return [
    `${whole(input.sessions)} sessions, ${whole(input.rooms)} rooms of ${rounded(figures.members)} members with ${kept},`,
    `${whole(input.rate)} messages/s of ${whole(input.bytes)} bytes from ${input.from}, ${whole(input.joins)} joins/s while clients reconnect.`,
    '',
    table(
      ['what', 'figure'],
      [
        [`edges (${spare})`, whole(edges)],
        ['Redis primaries (of a Cluster, or shards)', whole(primaries)],
        ['replicas', whole(primaries * replicas)],
        ['presence instances (one of them spare)', whole(instances)],
        ['edges that hold a member of a room', rounded(figures.width)],
        ['rooms of an edge', whole(figures.roomsPerEdge)],
        ['connections of an edge to Redis, at most', whole(figures.connectionsPerEdge)],
        ['messages/s of one room, at most', whole(figures.roomRate)],
      ],
    ),
    '',
    table(
      ['resource', 'used', 'limit', 'of the limit'],
      resources.map(({ what, used, limit, unit }) => [
        what,
        `${rounded(used)} ${unit}`.trim(),
        `${rounded(limit)} ${unit}`.trim(),
        `${whole((used / limit) * 100)} %`,
      ]),
    ),
    '',
    `${fits ? 'First bottleneck' : 'Does not fit'}: ${bottleneck.what}. Change: ${bottleneck.change}.`,
  ].join('\n');
}
