/**
 * Kills an edge with SIGKILL. Its many clients resume simultaneously at another edge while messages continue.
 * Measures the time until every client has every message, and the load on Redis.
 * The same run without missed messages shows the cost of reconnecting alone.
 */
import { findRedis, readMetrics, startRedis, sumByLabel } from '@hubbub/tools/kit';
import { Redis } from 'ioredis';
import { boundTime, ownCommand } from '../../command-line.mjs';
import { describeMachine } from '../../report/machine.mjs';
import { table, whole } from '../../report/tables.mjs';
import { requestsOf, roomNames, startMembers } from '../load/crew.mjs';
import { startCrowd } from '../load/crowd.mjs';
import { createClock, machineMicros, withParts } from '../load/measurement.mjs';
import { choosePinning } from '../machine/pinning.mjs';
import { DISTURBED_CPU, quietMachine } from '../machine/quiet.mjs';
import { commandCalls } from '../machine/redis-figures.mjs';
import { cpuMeter } from '../machine/usage.mjs';
import { RELAYS } from '../relays/catalogue.mjs';
import { historyConfig } from '../relays/start.mjs';
import { median } from '../report/statistics.mjs';

const FULL = { rounds: 3, clients: 10_000, rooms: 100, behind: 100, live: 100, processes: 4, patience: 10 };
const QUICK = { rounds: 1, clients: 1000, rooms: 20, patience: 0 };
/** Live messages must not push missed ones out of the history before their replay. */
const SPARE_HISTORY = 400;
/** Rate of the missed messages. One listener per room receives them. */
const CATCH_UP_RATE = 2500;
const AT_ONCE = 64;
const STEP_LIMIT_MS = 60_000;
const RETURN_LIMIT_MS = 60_000;
const LIVE_LIMIT_MS = 2 * RETURN_LIMIT_MS;
/** Per round; less than the sum of all limits. */
const ROUND_LIMIT_S = 180;

const MEASURES = [
  { key: 'lastOpenMs', title: 'all connected ms', digits: 0 },
  { key: 'firstWholeMs', title: 'first whole ms', digits: 0 },
  { key: 'halfWholeMs', title: 'half whole ms', digits: 0 },
  { key: 'allWholeMs', title: 'all whole ms', digits: 0 },
  { key: 'replayed', title: 'replayed', digits: 0 },
  { key: 'replayedPerSecond', title: 'replayed/s', digits: 0 },
  { key: 'redisReads', title: 'reads of histories', digits: 0 },
  { key: 'refused', title: 'answers UNAVAILABLE', digits: 0 },
  { key: 'stayedP50Ms', title: 'stayed: p50 ms', digits: 1 },
  { key: 'stayedP99Ms', title: 'p99 ms', digits: 1 },
  { key: 'edgeCpuPercent', title: 'edge CPU %', digits: 0 },
  { key: 'loadCpuPercent', title: 'load CPU %', digits: 0 },
  { key: 'redisCpuPercent', title: 'Redis CPU %', digits: 1 },
  { key: 'othersCpuPercent', title: 'others CPU %', digits: 0 },
];
const TROUBLE = ['notWhole', 'lost', 'late', 'repeated'];

export const recovery = {
  name: 'recovery',
  description:
    '10,000 clients, 100 messages behind each, resume at another edge after kill -9 of theirs; no relays are compared',

  full: FULL,
  quick: QUICK,

  /** @param {typeof FULL} settings */
  async run(settings) {
    if (settings.behind === 0)
      throw new Error('--behind must be at least 1; each round already has a run with 0 missed messages.');
    boundTime(settings.rounds * 2 * ROUND_LIMIT_S);
    const pinning = choosePinning();
    const words = `${pinning.words}; the killed edge on the core of the other`;
    const machine = describeMachine({ redis: findRedis().version, pinning: words });
    const redis = await startRedis({ cpus: pinning.load });
    const config = historyConfig(settings.behind + SPARE_HISTORY);
    const rows = [];
    try {
      for (let round = 1; round <= settings.rounds; round++) {
        for (const behind of round % 2 === 0 ? [settings.behind, 0] : [0, settings.behind]) {
          const row = { round, behind, ...(await measure({ behind, settings, redis, pinning, config })) };
          rows.push(row);
          console.log(`round ${round}, ${behind} behind: ${inWords(row)}`);
        }
      }
    } finally {
      await redis.dispose();
    }
    const { name: scenario, description } = recovery;
    const result = { scenario, description, command: ownCommand('npm run bench'), settings, machine, rows };
    console.log(`\n${recovery.summarize(result)}\n`);
    if (rows.some(troubled)) process.exitCode = 1;
    return result;
  },

  summarize: ({ rows, settings }) => `${verdicts(rows, settings)}\n\n${mediansTable(rows)}`,
};

function measure({ behind, settings, redis, pinning, config }) {
  return withParts(async opened => {
    const { clients, rooms, live, processes, patience } = settings;
    const clock = createClock(machineMicros());
    const { originUs } = clock;
    const commands = new Redis(redis.url);
    await opened({ close: async () => commands.disconnect() });
    await commands.flushall();
    const startEdge = id => {
      const env = { ...config, HUBBUB_NODE_ID: `bench-${id}` };
      return opened(RELAYS.hubbub.start({ redisUrl: redis.url, cpus: pinning.relay, nodeArgs: pinning.nodeArgs, env }));
    };
    const [left, found] = await Promise.all(['left', 'found'].map(startEdge));
    const talkers = await opened(startMembers({ processes: 1, cpus: pinning.load }));
    const names = roomNames(rooms, 'kept:');
    const crowd = await opened(startCrowd({ processes, connections: clients, rooms: names, cpus: pinning.load }));
    await crowd.prepare({ originUs, dialect: 'hubbub' });
    await crowd.at([left.port]);
    await crowd.connect();
    const requests = requestsOf({ rooms: names, members: 1, talkers: 1, relay: RELAYS.hubbub, running: found });
    await talkers.prepare({ originUs, dialect: RELAYS.hubbub.dialect, requests });
    await talkers.connect({ ports: [found.port], atOnce: AT_ONCE });

    await crowd.hold();
    left.kill();
    await crowd.gone();
    await crowd.at([found.port]);
    if (behind > 0) await talkers.talk({ perSecond: CATCH_UP_RATE, forMs: (behind * rooms * 1000) / CATCH_UP_RATE });
    await quietMachine(patience * 1000);

    await commands.config('RESETSTAT');
    const metricsBefore = await edgeReads(found);
    const talking = talkers.talk({ perSecond: live, forMs: LIVE_LIMIT_MS });
    talking.catch(() => {}); // Reported where it is awaited.
    const load = [...talkers.pids, process.pid, ...crowd.pids];
    const meter = cpuMeter({ edge: found.pids, load, redis: [redis.pid] });
    const before = meter.look();
    const startUs = clock.now();
    await talkers.openWindow({ fromUs: startUs, toUs: Number.MAX_SAFE_INTEGER });
    const reports = await crowd.resume({ withinMs: RETURN_LIMIT_MS });
    const cores = meter.between(before, meter.look());
    const calls = await commandCalls(commands);
    const reads = difference(await edgeReads(found), metricsBefore);
    await talkers.hush();
    const { published } = await talking;
    const settled = await crowd.settle({ published: published.map(([, count]) => count), withinMs: STEP_LIMIT_MS / 2 });
    const stayed = await talkers.settle({ published, withinMs: STEP_LIMIT_MS / 2 });

    const connected = reports.flatMap(({ openUs }) => openUs).sort((a, b) => a - b);
    const whole = reports.flatMap(({ wholeUs }) => wholeUs).sort((a, b) => a - b);
    const at = us => (us === undefined ? Number.NaN : (us - startUs) / 1000);
    const replayed = total(reports, 'replayed');
    return {
      lastOpenMs: at(connected[clients - 1]),
      firstWholeMs: at(whole[0]),
      halfWholeMs: at(whole[Math.ceil(clients / 2) - 1]),
      allWholeMs: at(whole[clients - 1]),
      replayed,
      refused: total(reports, 'refused'),
      replayedPerSecond: replayed / (at(whole.at(-1)) / 1000),
      redisReads: (calls.xrange ?? 0) + (calls.xrevrange ?? 0),
      redisCalls: calls,
      edgeReads: reads,
      stayedP50Ms: stayed.latencies.percentile(0.5) / 1000,
      stayedP99Ms: stayed.latencies.percentile(0.99) / 1000,
      edgeCpuPercent: cores.edge * 100,
      loadCpuPercent: cores.load * 100,
      redisCpuPercent: cores.redis * 100,
      othersCpuPercent: cores.others * 100,
      disturbed: cores.others > DISTURBED_CPU,
      notWhole: clients - whole.length,
      lost: settled.lost + stayed.lost,
      late: settled.late + stayed.late,
      repeated: settled.repeated + stayed.repeated,
      troubles: [...new Set([...Object.keys(settled.troubles), ...stayed.troubles])],
      edgeTroubles: found.troubles(),
    };
  });
}

/** Reads the edge's counts of history reads, by purpose. */
async function edgeReads(edge) {
  return sumByLabel(await readMetrics(edge), 'hubbub_edge_history_reads_total', 'purpose');
}

function difference(after, before) {
  return Object.fromEntries(Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)]));
}

function total(reports, key) {
  return reports.reduce((sum, report) => sum + report[key], 0);
}

function verdicts(rows, { clients, rooms, behind }) {
  const own = rows.filter(row => row.behind === behind);
  const [nothing, all] = [0, behind].map(missed =>
    median(rows.filter(row => row.behind === missed).map(row => row.allWholeMs)),
  );
  const reads = own.map(row => row.redisReads);
  const lines = [
    `${whole(clients)} clients in ${rooms} rooms, ${behind} messages behind, are whole ${(all / 1000).toFixed(1)} s after they begin to reconnect. With nothing missed: ${(nothing / 1000).toFixed(1)} s. Ratio: ${(all / nothing).toFixed(2)} ×.`,
    `The edge read histories from Redis at most ${Math.max(...reads)} times; one read per client would be ${whole(clients)}.`,
  ];
  const disturbed = rows.filter(row => row.disturbed).length;
  if (disturbed > 0)
    lines.push(
      `**Other processes used this machine** in ${disturbed} of ${rows.length} measurements: times are upper bounds.`,
    );
  const bad = rows.filter(troubled);
  lines.push(
    bad.length === 0
      ? 'Every client has every message once and in order, live messages included.'
      : `${bad.length} measurements found errors: see the rounds.`,
  );
  return lines.map(line => `- ${line}`).join('\n');
}

function mediansTable(rows) {
  const kinds = [...new Set(rows.map(row => row.behind))].sort((a, b) => a - b);
  return table(
    ['', ...kinds.map(behind => `${behind} behind`)],
    MEASURES.map(({ key, title, digits }) => [
      title === 'p99 ms' ? 'stayed: p99 ms' : title,
      ...kinds.map(behind => median(rows.filter(row => row.behind === behind).map(row => row[key])).toFixed(digits)),
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
