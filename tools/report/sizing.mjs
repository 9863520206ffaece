/** Writes the sizing tables of docs/deployment.md from the figures of the last runs. */
import { medianOf, peakRows } from '../bench/report/statistics.mjs';
import { MIB, table, whole } from './tables.mjs';

/** `PER_EDGE`: sessions on an edge, limited by the open files in the runs. */
const SESSIONS = [1000, 10_000, 100_000, 1_000_000];
const PER_EDGE = 20_000;
const EDGES_MIN = 2;

/** @param {ReadonlyMap<string, import('./results.mjs').Run>} runs by scenario @returns {string} Markdown */
export function sizingTables(runs) {
  const [memory, scale] = [runs.get('memory'), runs.get('scale')];
  const measured = table(
    ['what', 'measured', 'in'],
    [...rowsOfMemory(memory), ...rowsOfScale(scale), ...rowsOfTraffic(runs)],
  );
  return memory === undefined || scale === undefined ? measured : `${measured}\n\n${reckoned(memory, scale)}`;
}

function linkTo({ scenario }) {
  return `[${scenario}](performance.md#${scenario})`;
}

/** Returns the median at the step with Hubbub's largest value. */
function hubbubMedian({ rows }, name) {
  return medianOf(peakRows(rows, 'hubbub', name), name);
}

function rowsOfMemory(report) {
  if (report === undefined) return [];
  return [
    ['an edge without connections', `${whole(hubbubMedian(report, 'emptyMiB'))} MiB`, linkTo(report)],
    [
      'an edge for each idle connection, rooms of 10 on one edge',
      `${whole(hubbubMedian(report, 'bytesPerConnection'))} bytes`,
      linkTo(report),
    ],
  ];
}

function rowsOfScale(report) {
  if (report === undefined) return [];
  const [{ opening, memoryEmpty, memoryOpen }] = report.rows;
  const { connections } = report.settings;
  const bytes = who => `${whole(grown(memoryEmpty[who], memoryOpen[who]) / connections)} bytes`;
  const { edges, presence, redis } = opening.cpuMicros;
  return [
    [
      `an edge for each connection, rooms of ${report.settings.perRoom} spread over all edges, with a history`,
      bytes('edges'),
      linkTo(report),
    ],
    ['presence for each connection', bytes('presence'), linkTo(report)],
    ['Redis for each connection and its share of a room', bytes('redis'), linkTo(report)],
    ['connections opened, everything on two cores', `${whole(connections / opening.seconds)} a second`, linkTo(report)],
    [
      'processor for each connection that opens: edge, presence, Redis',
      `${[edges, presence, redis].map(micros => whole(micros)).join(', ')} µs`,
      linkTo(report),
    ],
  ];
}

function rowsOfTraffic(runs) {
  const rows = [];
  const most = (scenario, what) => {
    const report = runs.get(scenario);
    if (report === undefined) return;
    const value = hubbubMedian(report, 'deliveriesPerSecond');
    rows.push([what, `${whole(value)} deliveries a second`, linkTo(report)]);
  };
  most('big-room', 'an edge on one core, one room of 1,000');
  most('many-rooms', 'an edge on one core, 1,000 rooms of 10');
  most('client-publish', 'an edge on one core, clients talk in rooms of 10, each message with an ack');
  return rows;
}

function reckoned(memory, scale) {
  const [{ memoryEmpty, memoryOpen }] = scale.rows;
  const each = who => grown(memoryEmpty[who], memoryOpen[who]) / scale.settings.connections;
  const emptyMiB = hubbubMedian(memory, 'emptyMiB');
  const rows = SESSIONS.map(sessions => {
    const edges = Math.max(EDGES_MIN, Math.ceil(sessions / PER_EDGE) + (sessions > PER_EDGE ? 2 : 1));
    const mib = (who, empty, count) => `${whole(empty + (each(who) * count) / MIB)} MiB`;
    return [
      whole(sessions),
      edges,
      mib('edges', emptyMiB, sessions / edges),
      mib('presence', memoryEmpty.presence[0] / MIB, sessions),
      mib('redis', memoryEmpty.redis[0] / MIB, sessions),
    ];
  });
  return [
    `Computed from these figures, for at most ${whole(PER_EDGE)} sessions per edge and one or two spare edges, without messages, histories and kernel sockets:`,
    table(['sessions', 'edges', 'memory of each edge', 'of presence', 'of Redis'], rows),
  ].join('\n\n');
}

function grown(empty, open) {
  return open.reduce((sum, bytes) => sum + bytes, 0) - empty.reduce((sum, bytes) => sum + bytes, 0);
}
