/**
 * Offers more load than a cluster can take, and less: joins, reconnects and publishes, with admission control and without.
 * Edges, presence and Redis compete for one core. Clients retry until they are in, as browsers do.
 */
import { findRedis, startRedis } from '@hubbub/tools/kit';
import { boundTime, ownCommand } from '../../command-line.mjs';
import { describeMachine } from '../../report/machine.mjs';
import { countsOf } from '../../report/tables.mjs';
import { roomNames } from '../load/crew.mjs';
import { createClock, machineMicros, withParts } from '../load/measurement.mjs';
import { startVisitors } from '../load/visitors.mjs';
import { choosePinning, ONE_CORE } from '../machine/pinning.mjs';
import { quietMachine } from '../machine/quiet.mjs';
import { cpuMeter } from '../machine/usage.mjs';
import { overloadSummary } from '../report/overload-summary.mjs';
import { secondsUntil, startCluster } from '../scale/cluster.mjs';

const NAMESPACE = 'kept';
const FULL = {
  rounds: 1,
  /** Of the measured capacity. */
  percents: [50, 100, 200, 300],
  loads: ['join', 'reconnect', 'publish'],
  edges: 3,
  perRoom: 10,
  rooms: 1000,
  /** Sessions of the loads that need some. */
  sessions: 4000,
  /** At three times the capacity, all clients must fit into the open files of the edges. */
  seconds: 5,
  patience: 10,
};
const QUICK = { percents: [50, 300], loads: ['join'], seconds: 4, sessions: 200, patience: 0 };
/** Handshakes in flight when the capacity is measured. */
const AT_ONCE = 200;
/** More than any cluster takes: each session publishes when its last publish is answered. */
const PUBLISHES_WITHOUT_END = 100_000;
/** Publishes of one session in flight; less than an edge permits. */
const UNANSWERED_MAX = 64;
/** After the beginning of the load, and not counted. */
const WARM_UP_SHARE = 0.25;
const SETTLE_WITHIN_MS = 90_000;
/** Per step: starting, filling and settling, each within its limit. */
const STEP_LIMIT_S = 240;
/** Admission control that never refuses. */
const ADMISSION_OFF = { HUBBUB_SHED_OVERLOAD: 'false' };

export const overload = {
  name: 'overload',
  description:
    'joins, reconnects and publishes at 0.5 to 3 times the capacity, with admission control and without; no relays are compared',

  full: FULL,
  quick: QUICK,

  /** @param {typeof FULL} settings */
  async run(settings) {
    const { rounds, percents, loads } = settings;
    const factors = percents.map(percent => percent / 100);
    boundTime(rounds * loads.length * (1 + 2 * factors.length) * STEP_LIMIT_S);
    const pinning = choosePinning();
    const words = `edges, presence and Redis share core ${pinning.relay ?? 'any'}; clients on ${pinning.load ?? 'any'}`;
    const machine = describeMachine({ redis: findRedis().version, pinning: words });
    const rows = [];
    const step = async what => {
      await quietMachine(settings.patience * 1000);
      const row = await measure(what, settings, pinning);
      rows.push(row);
      console.log(JSON.stringify({ ...what, goodput: row.goodputPerSecond, p99Ms: row.p99Ms, outside: row.outside }));
      return row;
    };
    for (let round = 1; round <= rounds; round++) {
      for (const load of loads) {
        // Joins are reconnects of new clients: the same rate. Publishes come one by one from all sessions.
        const perSecond = load === 'publish' ? PUBLISHES_WITHOUT_END : undefined;
        const { goodputPerSecond: capacity } = await step({
          round,
          load,
          // Its sessions wait for each answer, but not after a refusal: with refusals they would measure those.
          control: load !== 'publish',
          factor: 'capacity',
          perSecond,
        });
        for (const factor of factors) {
          for (const control of [true, false])
            await step({ round, load, control, factor, perSecond: Math.round(capacity * factor) });
        }
      }
    }
    const { name: scenario, description } = overload;
    const run = { scenario, description, command: ownCommand('npm run bench'), settings, machine, rows };
    console.log(`\n${overloadSummary(run)}\n`);
    return run;
  },

  summarize: overloadSummary,
};

function measure({ load, control, factor, perSecond, round }, settings, pinning) {
  return withParts(async opened => {
    const { edges: edgeCount, perRoom, rooms: roomCount, sessions, seconds } = settings;
    const { originUs } = createClock(machineMicros());
    const redis = await startRedis({ cpus: pinning.relay });
    await opened({ close: () => redis.dispose() });
    const cluster = await opened(
      startCluster({
        redisUrl: redis.url,
        edges: edgeCount,
        namespace: NAMESPACE,
        edgeArgs: ONE_CORE,
        presenceArgs: [],
        cpus: pinning.relay,
        env: control ? {} : ADMISSION_OFF,
      }),
    );
    const { edges, presence } = cluster;
    const visitors = await opened(startVisitors({ processes: 2, cpus: pinning.load }));
    const rooms = roomNames(roomCount, `${NAMESPACE}:`);
    await visitors.prepare({ originUs, ports: edges.map(({ port }) => port), rooms, perRoom });
    if (load === 'publish' || (load === 'reconnect' && factor !== 'capacity')) {
      const inside = await visitors.fill({ count: sessions, atOnce: AT_ONCE, withinMs: SETTLE_WITHIN_MS });
      if (inside < sessions) throw new Error(`Only ${inside} of ${sessions} sessions joined before the load began.`);
    }

    const meter = cpuMeter({
      edges: edges.flatMap(({ pids }) => pids),
      presence: presence.pids,
      redis: [redis.pid],
      load: visitors.pids,
    });
    const forMs = seconds * 1000;
    const warmUpMs = forMs * WARM_UP_SHARE;
    const loading =
      perSecond === undefined
        ? visitors.fill({ count: Number.MAX_SAFE_INTEGER, atOnce: AT_ONCE, withinMs: forMs })
        : visitors.offer({ load, perSecond, forMs, unansweredMax: factor === 'capacity' ? 1 : UNANSWERED_MAX });
    loading.catch(() => {}); // Reported where it is awaited.
    await new Promise(resolve => setTimeout(resolve, warmUpMs));
    const before = meter.look();
    const early = await visitors.counts();
    const offered = await loading;
    const counts = await visitors.counts();
    const cores = meter.between(before, meter.look());
    const settledAt = performance.now();
    const outside = await visitors.settle({ withinMs: SETTLE_WITHIN_MS });
    const settleSeconds = (performance.now() - settledAt) / 1000;
    const { clients } = await visitors.counts();
    const total = async () => [...(await cluster.rosters()).values()].reduce((sum, count) => sum + count, 0);
    const isRight = () =>
      total().then(
        count => count === clients,
        () => false,
      );
    const rosters = await secondsUntil(isRight, SETTLE_WITHIN_MS);
    const { latencies, ...counted } = counts;
    const windowSeconds = (forMs - warmUpMs) / 1000;
    return {
      round,
      load,
      control,
      factor,
      perSecond,
      offered,
      goodputPerSecond: (load === 'publish' ? counts.acks : counts.entered) / windowSeconds,
      p50Ms: inMs(latencies.percentile(0.5)),
      p99Ms: inMs(latencies.percentile(0.99)),
      ...counted,
      thrownOut: early.thrownOut + counts.thrownOut,
      outside,
      settleSeconds,
      rostersRightSeconds: rosters === undefined ? null : settleSeconds + rosters,
      reapedNodes: await cluster.reapedNodes(),
      events: countsOf([...edges, presence].flatMap(part => part.troubles())),
      cores,
    };
  });
}

function inMs(us) {
  return us === null ? null : us / 1000;
}
