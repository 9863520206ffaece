/**
 * What a history costs while everything is well: clients publish into many small rooms, with a history and without, through
 * the same edge otherwise. The two take turns within one run, each with an edge freshly started and an empty Redis.
 */
import { fileURLToPath } from 'node:url';
import { loadEngine } from '@hubbub/edge';
import { Redis } from 'ioredis';
import { namespacesFile } from '../history/namespaces.mjs';
import { boundTime, readSettings } from '../history/settings.mjs';
import { createClock, machineMicros } from '../load/clock.mjs';
import { startWorker } from '../load/crew.mjs';
import { Histogram } from '../load/histogram.mjs';
import { cpuSeconds, machineSeconds } from '../machine/cpu-time.mjs';
import { describeMachine } from '../machine/facts.mjs';
import { choosePinning } from '../machine/pinning.mjs';
import { DISTURBED_CPU, quietMachine } from '../machine/quiet.mjs';
import { findRedis, startRedis } from '../machine/redis.mjs';
import { startHubbub } from '../relays/start-hubbub.mjs';
import { median } from '../report/statistics.mjs';
import { table } from '../report/tables.mjs';
import { writeFiguresReport } from '../report/write-figures-report.mjs';

const TALK_PROCESS = fileURLToPath(new URL('../history/talk-process.mjs', import.meta.url));
const HISTORY_SIZE = 100;
const KINDS = ['plain', 'kept'];
const FULL = { rounds: 7, seconds: 5, rooms: 100, members: 10, rate: 1000, patience: 10 };
const QUICK = { rounds: 1, seconds: 2, patience: 0 };
/** Issue 7: p99 of rooms with history, of that of plain rooms. */
const MOST_P99 = 1.5;
const SETTLE_MS = 1500;
const TAIL_MS = 200;
const ARRIVE_WITHIN_MS = 20_000;
/** Per measurement, beside its window and the wait for a quiet machine. */
const OVERHEAD_S = 60;

const MEASURES = [
  { key: 'deliveriesPerSecond', title: 'deliveries/s', digits: 0 },
  { key: 'p50Ms', title: 'p50 ms', digits: 2 },
  { key: 'p99Ms', title: 'p99 ms', digits: 2 },
  { key: 'ackP50Ms', title: 'ack p50 ms', digits: 2 },
  { key: 'ackP99Ms', title: 'ack p99 ms', digits: 2 },
  { key: 'redisCpuPercent', title: 'Redis CPU %', digits: 1 },
  { key: 'edgeCpuPercent', title: 'edge CPU %', digits: 1 },
  { key: 'loadCpuPercent', title: 'load CPU %', digits: 1 },
  { key: 'othersCpuPercent', title: 'others CPU %', digits: 1 },
];
const TROUBLE = ['lost', 'late', 'repeated'];

export const history = {
  name: 'history',
  description:
    'clients publish 1,000 msg/s into 100 rooms × 10 members, with history beside without; no relays are compared',

  /** @param {readonly string[]} args options: --quick (no report), and a number for each of FULL, such as --rounds <n> */
  async run(args) {
    const settings = readSettings(args, FULL, QUICK);
    boundTime((settings.rounds + 1) * KINDS.length * (settings.seconds + settings.patience + OVERHEAD_S));
    const server = findRedis();
    const pinning = choosePinning();
    const machine = describeMachine({ redisVersion: server.version, pinning, engine: loadEngine().build });
    const redis = await startRedis(server.command, pinning.load);
    const config = namespacesFile(HISTORY_SIZE);
    const rows = [];
    try {
      for (let round = 0; round <= settings.rounds; round++) {
        for (const kind of round % 2 === 0 ? KINDS : KINDS.toReversed()) {
          const row = {
            round,
            warmUp: round === 0,
            kind,
            ...(await measure({ kind, settings, redis, pinning, config })),
          };
          rows.push(row);
          console.log(`${round === 0 ? 'warm-up' : `round ${round}`}, ${kind}: ${inWords(row)}`);
        }
      }
    } finally {
      config.remove();
      await redis.close();
    }
    const sections = [verdicts(rows), `## Medians\n\n${mediansTable(rows)}`, `## Rounds\n\n${roundsTable(rows)}`];
    console.log(`\n${sections[1]}\n\n${sections[0]}\n`);
    if (rows.some(troubled)) process.exitCode = 1;
    if (settings.quick) return;
    const command = ['npm run bench history', ...(args.length > 0 ? ['--', ...args] : [])].join(' ');
    const { name: scenario, description } = history;
    const run = { scenario, description, command, settings, machine, ratios: ratiosOf(rows), rows };
    console.log(`Written: ${writeFiguresReport(run, sections)}`);
  },
};

async function measure({ kind, settings, redis, pinning, config }) {
  const { rooms, members, rate, seconds, patience } = settings;
  const clock = createClock(machineMicros());
  const commands = new Redis(redis.url);
  await commands.flushall(); // An idempotency key of the round before would swallow a message.
  const edge = await startHubbub({ redisUrl: redis.url, cpus: pinning.relay, nodeArgs: [], env: config.env });
  const talk = startWorker({ name: 'talkers and listeners', file: TALK_PROCESS, cpus: pinning.load });
  try {
    await talk.order('connect', {
      originUs: clock.originUs,
      port: edge.port,
      rooms: Array.from({ length: rooms }, (_, room) => ({
        name: `${kind}:${room}`,
        headers: Array.from({ length: members + 1 }, (_, i) => edge.headers(room * (members + 1) + i)),
      })),
    });
    await quietMachine(patience * 1000);
    const fromUs = clock.now() + SETTLE_MS * 1000;
    const toUs = fromUs + seconds * 1e6;
    await talk.order('openWindow', { fromUs, toUs });
    const forMs = SETTLE_MS + seconds * 1000 + TAIL_MS;
    const talking = talk.order('talk', { perSecond: rate, forMs }, forMs + ARRIVE_WITHIN_MS);
    talking.catch(() => {}); // Told where it is awaited.
    const cpu = () => ({
      edge: cpuSeconds(edge.pids),
      redis: cpuSeconds(redis.pids),
      load: cpuSeconds([talk.pid, process.pid]),
      machine: machineSeconds(),
    });
    await clock.until(fromUs);
    const before = cpu();
    await clock.until(toUs);
    const after = cpu();
    const { worstDelayMs } = await talking;
    const { latencies, acks, deliveredInWindow, ...report } = await talk.order('settle', {
      withinMs: ARRIVE_WITHIN_MS,
    });
    const used = name => ((after[name] - before[name]) / seconds) * 100;
    const others = used('machine') - used('edge') - used('redis') - used('load');
    const [delivery, ack] = [new Histogram(latencies), new Histogram(acks)];
    return {
      deliveriesPerSecond: deliveredInWindow / seconds,
      p50Ms: delivery.percentile(0.5) / 1000,
      p99Ms: delivery.percentile(0.99) / 1000,
      p999Ms: delivery.percentile(0.999) / 1000,
      ackP50Ms: ack.percentile(0.5) / 1000,
      ackP99Ms: ack.percentile(0.99) / 1000,
      redisCpuPercent: used('redis'),
      edgeCpuPercent: used('edge'),
      loadCpuPercent: used('load'),
      othersCpuPercent: others,
      disturbed: others > DISTURBED_CPU * 100,
      talkerWorstDelayMs: worstDelayMs,
      ...report,
      edgeTroubles: edge.troubles(),
    };
  } finally {
    await talk.close();
    await edge.close();
    commands.disconnect();
  }
}

/** What counts: undisturbed rounds where both kinds were; all of them where others worked all the time. */
function pairs(rows) {
  const rounds = [...new Set(rows.filter(row => !row.warmUp).map(row => row.round))];
  const all = rounds.map(round => KINDS.map(kind => rows.find(row => row.round === round && row.kind === kind)));
  const quiet = all.filter(pair => pair.every(row => !row.disturbed));
  return { counted: quiet.length >= 3 ? quiet : all, all, quiet };
}

function ratiosOf(rows) {
  const { counted } = pairs(rows);
  return Object.fromEntries(
    MEASURES.map(({ key }) => {
      const ratios = counted.map(([plain, kept]) => kept[key] / plain[key]);
      return [key, { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) }];
    }),
  );
}

function verdicts(rows) {
  const { counted, all, quiet } = pairs(rows);
  const ratio = ratiosOf(rows).p99Ms.median;
  const verdict = counted !== quiet ? 'not judged' : ratio <= MOST_P99 ? 'kept' : 'MISSED';
  const lines = [`p99 with history is ${ratio.toFixed(2)} × plain, target at most ${MOST_P99}: ${verdict}`];
  if (quiet.length < all.length) {
    lines.push(
      counted === quiet
        ? `In ${all.length - quiet.length} of ${all.length} rounds others worked on this machine: they are among the rounds, but not in medians and ratios.`
        : `**Others worked on this machine** in ${all.length - quiet.length} of ${all.length} rounds, too many to leave out: all rounds count, and absolute figures say "not better than".`,
    );
  }
  const bad = rows.filter(troubled);
  lines.push(
    bad.length === 0
      ? 'Every message arrived once and in order.'
      : `Trouble in ${bad.length} measurements: see the rounds.`,
  );
  return lines.map(line => `- ${line}`).join('\n');
}

function mediansTable(rows) {
  const { counted } = pairs(rows);
  const ratios = ratiosOf(rows);
  const ofKind = index =>
    MEASURES.map(({ key, digits }) => median(counted.map(pair => pair[index][key])).toFixed(digits));
  const range = ({ median: middle, min, max }) => `${middle.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`;
  const [plain, kept] = KINDS.map((_, index) => ofKind(index));
  const lines = MEASURES.map(({ key, title }, i) => [
    title,
    plain[i],
    kept[i],
    key === 'othersCpuPercent' ? '–' : range(ratios[key]),
  ]);
  return table(['', 'plain', 'history', 'history / plain, median of the rounds (smallest to largest)'], lines);
}

function roundsTable(rows) {
  return table(
    ['round', 'rooms', ...MEASURES.map(({ title }) => title), ...TROUBLE],
    rows.map(row => [
      `${row.warmUp ? 'warm-up' : row.round}${row.disturbed ? ', disturbed' : ''}`,
      row.kind,
      ...MEASURES.map(({ key, digits }) => row[key].toFixed(digits)),
      ...TROUBLE.map(key => row[key]),
    ]),
  );
}

function inWords(row) {
  const figures = MEASURES.map(({ key, title, digits }) => `${title} ${row[key].toFixed(digits)}`);
  return [...figures, ...(troubled(row) ? [TROUBLE.map(key => `${key} ${row[key]}`), ...row.troubles] : [])].join(
    ' · ',
  );
}

function troubled(row) {
  return TROUBLE.some(key => row[key] > 0) || row.troubles.length > 0;
}
