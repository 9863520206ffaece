/** The run of `npm run scale` as it is saved, its verdicts and its tables. */
import { ownCommand } from '../../command-line.mjs';
import { countsOf, MIB, table, whole } from '../../report/tables.mjs';

/** Target for the time until all connections are open, as a multiple of the bare relays' time. */
const OPEN_AT_MOST = 2.5;
/** Bytes of an edge per idle connection, above the empty process. */
const BYTES_AT_MOST = 4096;
/** The report of this size has no number in its name; docs/deployment.md uses it. */
const USUAL_CONNECTIONS = 100_000;

/** @returns {import('../../report/results.mjs').Run} */
export function scaleRun({ plan, machine, figures }) {
  return {
    scenario: nameOf(plan),
    description: `${whole(plan.connections)} connections to one cluster on one machine; a room's members use ${plan.edgesPerRoom} of ${plan.edges} edges; one edge killed and one drained`,
    command: ownCommand('npm run scale'),
    settings: plan,
    machine,
    rows: [figures],
  };
}

/** Whether no message was lost and all clients and rosters recovered. */
export function isRight({ settings, rows: [figures] }) {
  return checksOf(figures, settings.connections).every(({ right }) => right);
}

export function scaleSummary({ settings, rows: [figures] }) {
  return [
    ...checksOf(figures, settings.connections).map(({ what, right }) => `- ${right ? 'Right' : '**WRONG**'}: ${what}`),
    ...targetsOf(figures, settings),
  ].join('\n');
}

export function scaleDetails({ settings, rows: [figures] }) {
  return [
    `## Figures\n\n${figuresTable(figures, settings)}`,
    `## Memory\n\n${memoryTable(figures, settings.connections)}`,
    `## Commands of Redis under load, a second\n\n${callsTable(figures)}`,
    ...(Object.keys(figures.troubles).length + figures.edgeTroubles.length === 0 ? [] : [troublesOf(figures)]),
  ].join('\n\n');
}

/** Returns the scenario's name, with every difference from the usual run. */
function nameOf({ connections, edges, edgesPerRoom }) {
  const size = connections === USUAL_CONNECTIONS ? '' : `-${connections}`;
  return `scale${size}${edgesPerRoom === edges ? '' : `-rooms-on-${edgesPerRoom}`}`;
}

function checksOf(figures, connections) {
  const { lost, late, repeated, open, heardBroadcast, broadcastsTwice, notRecovered, openAfterResync, resyncSeconds } =
    figures;
  return [
    {
      what: `${lost} lost, ${late} late, ${repeated} repeated of ${whole(figures.received)} deliveries`,
      right: lost + late + repeated === 0,
    },
    {
      what: `${whole(open)} of ${whole(connections)} connections open after the kill and the drain, ${notRecovered} of them not recovered`,
      right: open === connections && notRecovered === 0,
    },
    {
      what: `rosters of all rooms complete ${notice(figures.rostersSeconds)} after all were open`,
      right: figures.rostersSeconds !== undefined,
    },
    {
      what: `rosters of all rooms right ${notice(figures.rostersAgainSeconds)} after the load`,
      right: figures.rostersAgainSeconds !== undefined,
    },
    {
      what: `one broadcast reached ${whole(heardBroadcast)} within ${notice(figures.broadcastSeconds)}, ${broadcastsTwice} copies too many`,
      right: heardBroadcast === connections && broadcastsTwice === 0,
    },
    // Reports before 2026-12-01 have no resync.
    ...(openAfterResync === undefined
      ? []
      : [
          {
            what: `after Redis lost its data, ${whole(openAfterResync)} connections stayed and the rosters were right again within ${notice(resyncSeconds)}`,
            right: openAfterResync === connections && resyncSeconds !== undefined,
          },
        ]),
  ];
}

function targetsOf({ opening, bareOpening, memoryEmpty, memoryOpen, edgesIdle }, { connections }) {
  const verdict = (value, most) => `target at most ${most}: ${value <= most ? 'kept' : 'MISSED'}`;
  const bytes = grownBytes(memoryEmpty.edges, memoryOpen.edges) / connections;
  const idle = grownBytes(memoryEmpty.edges, edgesIdle) / connections;
  const lines = [
    `- ${whole(idle)} bytes of the edges an idle connection, ${verdict(idle, BYTES_AT_MOST)}; ${whole(bytes)} directly after the opening`,
  ];
  if (bareOpening === undefined) return lines;
  const ratio = opening.seconds / bareOpening.seconds;
  return [`- all open within ${ratio.toFixed(2)} × the bare relays' time, ${verdict(ratio, OPEN_AT_MOST)}`, ...lines];
}

function figuresTable(figures, { connections, rate }) {
  const { opening, bareOpening, quiet, troubled, cores, resyncCores, loadSeconds } = figures;
  const latency = ({ p50Ms, p99Ms, p999Ms }) => `${p50Ms.toFixed(1)} / ${p99Ms.toFixed(1)} / ${p999Ms.toFixed(1)}`;
  return table(
    ['what', 'figure'],
    [
      ['all open, s', openingOf(opening, connections)],
      ['as many to the bare relays, s', bareOpening === undefined ? '–' : openingOf(bareOpening, connections)],
      ['processor while they opened, µs a connection', microsOf(opening)],
      ['the same with the bare relays', bareOpening === undefined ? '–' : microsOf(bareOpening)],
      [
        'memory of the machine in use by the run, including kernel sockets and clients, GiB',
        (figures.machineBytes / 2 ** 30).toFixed(1),
      ],
      [
        'messages published',
        `${whole(figures.said)} (${rate} a second for ${loadSeconds.toFixed(0)} s, ${figures.retried} retries)`,
      ],
      ['deliveries', whole(figures.received)],
      ['p50 / p99 / p99.9 ms before the kill', latency(quiet)],
      ['p50 / p99 / p99.9 ms from the kill on, replays included', latency(troubled)],
      ['reconnected and resumed', whole(figures.returns)],
      ['refused while reconnecting, and retried', whole(figures.refused)],
      ['all reconnected after the end of the drained edge, s', notice(figures.backSeconds)],
      [
        'cores under load: edges that stay, presence, Redis',
        `${cores.edges.toFixed(2)}, ${cores.presence.toFixed(2)}, ${cores.redis.toFixed(2)}`,
      ],
      ...(resyncCores === undefined
        ? []
        : [
            ['joins reported again after the loss of the data of Redis', whole(figures.repeatedJoins)],
            [
              'cores meanwhile: edges, presence, Redis',
              `${resyncCores.edges.toFixed(2)}, ${resyncCores.presence.toFixed(2)}, ${resyncCores.redis.toFixed(2)}`,
            ],
          ]),
      ['commands of Redis a second under load', whole(figures.redisCommandsPerSecond)],
    ],
  );
}

function openingOf({ seconds }, connections) {
  return `${seconds.toFixed(1)} (${whole(connections / seconds)} a second)`;
}

function microsOf({ cpuMicros }) {
  return Object.entries(cpuMicros)
    .map(([who, micros]) => `${who} ${whole(micros)}`)
    .join(', ');
}

function memoryTable({ memoryEmpty, memoryOpen, edgesIdle }, connections) {
  const rows = Object.keys(memoryEmpty).map(who => [who, memoryEmpty[who], memoryOpen[who]]);
  rows.splice(1, 0, ['edges, after a minute of silence', memoryEmpty.edges, edgesIdle]);
  return table(
    ['process', 'how many', 'empty MiB each', 'all open MiB each', 'bytes a connection'],
    rows.map(([who, empty, open]) => [
      who,
      open.length,
      (total(empty) / empty.length / MIB).toFixed(1),
      (total(open) / open.length / MIB).toFixed(1),
      whole(grownBytes(empty, open) / connections),
    ]),
  );
}

function callsTable({ redisCalls, loadSeconds }) {
  const calls = Object.entries(redisCalls).sort(([, a], [, b]) => b - a);
  return table(
    ['command', 'a second'],
    calls.map(([name, count]) => [name, (count / loadSeconds).toFixed(1)]),
  );
}

function troublesOf({ troubles, edgeTroubles }) {
  const events = countsOf(edgeTroubles);
  const lines = [
    ...Object.entries(troubles).map(([what, count]) => `- clients: ${what}: ${count} ×`),
    ...Object.entries(events).map(([event, count]) => `- warnings of edges and presence: ${event}: ${count} ×`),
  ];
  return `## Warnings and errors\n\n${lines.join('\n')}`;
}

function grownBytes(empty, open) {
  return total(open) - total(empty);
}

function total(values) {
  return values.reduce((sum, value) => sum + value, 0);
}

function notice(seconds) {
  return seconds === undefined ? 'never' : `${seconds.toFixed(1)} s`;
}
