/** Writes the sizing tables of docs/deployment.md from the latest reports, so that no figure stands there which was not measured. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { medianOf, peakRows } from './statistics.mjs';
import { table } from './tables.mjs';

const RESULTS = fileURLToPath(new URL('../results/', import.meta.url));
const PAGE = fileURLToPath(new URL('../../docs/deployment.md', import.meta.url));
const BEGIN = '<!-- Sizing: written by bench/report/sizing.mjs from bench/results; not by hand. -->';
const END = '<!-- End of sizing. -->';
const MIB = 2 ** 20;
/** What is reckoned for, and with how many on an edge: what the limit of open files allowed in the runs. */
const SESSIONS = [1000, 10_000, 100_000, 1_000_000];
const PER_EDGE = 20_000;
const EDGES_MIN = 2;
const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

export function updateSizing() {
  const [before, rest] = readFileSync(PAGE, 'utf8').split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error('docs/deployment.md has lost the marks between which the sizing stands.');
  writeFileSync(PAGE, `${before}${BEGIN}\n\n${sizing()}\n\n${END}${after}`);
}

function sizing() {
  const memory = latest('memory');
  const scale = latest('scale');
  const rows = [...rowsOfMemory(memory), ...rowsOfScale(scale), ...rowsOfTraffic()];
  const measured = table(['what', 'measured', 'in'], rows);
  return memory === undefined || scale === undefined ? measured : `${measured}\n\n${reckoned(memory, scale)}`;
}

/** @returns {{ file: string, rows: Record<string, unknown>[], settings: Record<string, unknown> } | undefined} */
function latest(scenario) {
  const file = readdirSync(RESULTS)
    .filter(name => new RegExp(`^${scenario}-\\d{4}-\\d\\d-\\d\\d\\.json$`).test(name))
    .sort()
    .at(-1);
  if (file === undefined) return undefined;
  return { ...JSON.parse(readFileSync(join(RESULTS, file), 'utf8')), file };
}

function linkTo({ file }) {
  return `[${file.replace('.json', '')}](../bench/results/${file.replace('.json', '.md')})`;
}

/** Of the step at which Hubbub did most. */
function hubbubMedian({ rows }, name) {
  return medianOf(peakRows(rows, 'hubbub', name), name);
}

function rowsOfMemory(report) {
  if (report === undefined) return [];
  return [
    ['an edge without connections', `${whole.format(hubbubMedian(report, 'emptyMiB'))} MiB`, linkTo(report)],
    [
      'an edge for each idle connection, rooms of 10 on one edge',
      `${whole.format(hubbubMedian(report, 'bytesPerConnection'))} bytes`,
      linkTo(report),
    ],
  ];
}

function rowsOfScale(report) {
  if (report === undefined) return [];
  const [{ opening, memoryEmpty, memoryOpen }] = report.rows;
  const { connections } = report.settings;
  const bytes = who => `${whole.format(grown(memoryEmpty[who], memoryOpen[who]) / connections)} bytes`;
  const { edges, presence, redis } = opening.cpuMicros;
  return [
    [
      `an edge for each connection, rooms of ${report.settings.perRoom} spread over all edges, with a history`,
      bytes('edges'),
      linkTo(report),
    ],
    ['presence for each connection', bytes('presence'), linkTo(report)],
    ['Redis for each connection and its share of a room', bytes('redis'), linkTo(report)],
    [
      'connections opened, everything on two cores',
      `${whole.format(connections / opening.seconds)} a second`,
      linkTo(report),
    ],
    [
      'processor for each connection that opens: edge, presence, Redis',
      `${[edges, presence, redis].map(micros => whole.format(micros)).join(', ')} µs`,
      linkTo(report),
    ],
  ];
}

function rowsOfTraffic() {
  const rows = [];
  const most = (scenario, what) => {
    const report = latest(scenario);
    if (report === undefined) return;
    const value = hubbubMedian(report, 'deliveriesPerSecond');
    rows.push([what, `${whole.format(value)} deliveries a second`, linkTo(report)]);
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
    const mib = (who, empty, count) => `${whole.format(empty + (each(who) * count) / MIB)} MiB`;
    return [
      whole.format(sessions),
      edges,
      mib('edges', emptyMiB, sessions / edges),
      mib('presence', memoryEmpty.presence[0] / MIB, sessions),
      mib('redis', memoryEmpty.redis[0] / MIB, sessions),
    ];
  });
  return [
    `Reckoned from these for ${whole.format(PER_EDGE)} sessions on an edge at most and one or two edges more, without what messages, histories and the kernel's sockets take:`,
    table(['sessions', 'edges', 'memory of each edge', 'of presence', 'of Redis'], rows),
  ].join('\n\n');
}

function grown(empty, open) {
  return open.reduce((sum, bytes) => sum + bytes, 0) - empty.reduce((sum, bytes) => sum + bytes, 0);
}
