/**
 * Opens many connections to a whole cluster on one machine. Measures the time until all are open, and their memory.
 * Then kills one edge, drains another, and checks that no message is lost. At the end Redis loses all its data.
 * `npm run scale`, or `node tools/bench/scale/run.mjs` when everything is built.
 */
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectHubbub } from '@hubbub/server';
import { findRedis, startRedis } from '@hubbub/tools/kit';
import { Redis } from 'ioredis';
import { boundTime, runTool } from '../../command-line.mjs';
import { describeMachine } from '../../report/machine.mjs';
import { saveRun } from '../../report/results.mjs';
import { whole } from '../../report/tables.mjs';
import { roomNames } from '../load/crew.mjs';
import { startCrowd } from '../load/crowd.mjs';
import { createClock, machineMicros, withParts } from '../load/measurement.mjs';
import { ONE_CORE } from '../machine/pinning.mjs';
import { commandCalls } from '../machine/redis-figures.mjs';
import { availableBytes, cpuMeter } from '../machine/usage.mjs';
import { PROFILES_DIR } from '../report/profile.mjs';
import { residentOf, rostersAreRight, secondsUntil, startBareRelays, startCluster } from './cluster.mjs';
import { scaleCommand } from './plan.mjs';
import { showProgress } from './progress.mjs';
import { isRight, scaleDetails, scaleRun, scaleSummary } from './report.mjs';
import { startTalk } from './talk.mjs';

const NAMESPACE = 'kept';
/** Time for the work that follows the opening. */
const CALM_MS = 5000;
/** V8 collects the garbage of the opening in this time: then sessions are idle. */
const IDLE_MS = 60_000;
/** Shares of the steady load before the kill of one edge, and before the drain of another. */
const KILL_AFTER = 0.2;
const DRAIN_AFTER = 0.5;
const RETURN_WITHIN_MS = 120_000;
const ROSTERS_WITHIN_MS = 120_000;
const BROADCAST_WITHIN_MS = 60_000;
const RESYNC_WITHIN_MS = 120_000;
const SETTLE_WITHIN_MS = 30_000;
/** Limit of a run: per 1,000 connections, and added once. */
const LIMIT_S = { perThousand: 3, beside: 900 };
const TOO_LITTLE_MEMORY = 2;
/** Of presence and Redis: see `hasPriority`. */
const PRIORITY = -10;

await runTool('scale', scaleCommand(main));

async function main(plan) {
  boundTime(LIMIT_S.beside + plan.seconds + (plan.connections / 1000) * LIMIT_S.perThousand);
  const machine = describeMachine({
    redis: findRedis().version,
    pinning: `not pinned: all processes share the cores, presence and Redis with priority; edges and bare relays with ${ONE_CORE.join(' ')}`,
  });
  console.log(
    `${whole(plan.connections)} connections in rooms of ${plan.perRoom}: ${plan.edges} edges, ${plan.crowds} processes of clients, ${whole(plan.descriptors)} open files each at most.`,
  );
  const figures = await withParts(async opened => {
    const redis = await startRedis();
    await opened({ close: () => redis.dispose() });
    return await measure(plan, { url: redis.url, pids: [redis.pid] }, opened);
  });
  const run = scaleRun({ plan, machine, figures });
  console.log(`\n${scaleDetails(run)}\n\n${scaleSummary(run)}\n`);
  if (plan.writesReport) console.log(`Written: ${saveRun(run)}`);
  if (!isRight(run)) process.exitCode = 1;
}

async function measure(plan, redis, opened) {
  const { connections, perRoom, edgesPerRoom, edges: edgeCount, crowds, rate, seconds } = plan;
  const clock = createClock(machineMicros());
  const { originUs } = clock;
  const availableAtFirst = availableBytes();
  const rooms = roomNames(Math.ceil(connections / perRoom), `${NAMESPACE}:`);
  // `--optimize-for-size` saves 10 % more memory of an edge, and costs it 20 % more processor time (measured).
  const heapArgs = plan.smallHeaps ? ['--heap-growing-percent=30'] : [];
  // More processes than cores: each runs as the workers of an edge do.
  const edgeArgs = [...ONE_CORE, ...heapArgs];
  const env = { HUBBUB_IDLE_TIMEOUT_MS: String(plan.idleTimeout * 1000) };
  const crowd = await opened(startCrowd({ processes: crowds, connections, rooms, edgesPerRoom, nodeArgs: heapArgs }));
  const progress = showProgress({
    async look() {
      const { open, received, returns } = await crowd.progress();
      return `${whole(open)} open, ${whole(received)} deliveries, ${whole(returns)} resumed`;
    },
    onTooLittleMemory() {
      console.error('\nscale: less than 1 GiB of memory is left; ended the run.');
      process.exit(TOO_LITTLE_MEMORY);
    },
  });
  await opened({ close: async () => progress.stop() });
  const pidsOf = own => own.flatMap(({ pids }) => pids);
  /** Measures the time until all have joined, and the processor time per connection, including the kernel's. */
  const openAll = async ({ ports, parts }) => {
    await crowd.at(ports);
    const meter = cpuMeter(Object.fromEntries(Object.entries(parts).map(([who, own]) => [who, pidsOf(own)])));
    const before = meter.look();
    await crowd.connect();
    const after = meter.look();
    const seconds = (after.at - before.at) / 1000;
    const cores = Object.entries(meter.between(before, after));
    return {
      seconds,
      cpuMicros: Object.fromEntries(cores.map(([who, n]) => [who, (n * seconds * 1e6) / connections])),
    };
  };

  let bareOpening;
  if (plan.bare) {
    progress.step(`${edgeCount} bare relays`);
    const { relays, close } = await startBareRelays({
      redisUrl: redis.url,
      relays: edgeCount,
      nodeArgs: edgeArgs,
      env,
    });
    await crowd.prepare({ originUs, dialect: 'bare' });
    progress.step('connecting to the bare relays');
    bareOpening = await openAll({
      ports: relays.map(({ port }) => port),
      parts: { edges: relays, redis: [redis], clients: [crowd] },
    });
    await crowd.disconnect();
    await close();
  }

  progress.step(`presence and ${edgeCount} edges`);
  const profileArgs = plan.profile ? ['--cpu-prof', `--cpu-prof-dir=${join(PROFILES_DIR, 'scale')}`] : [];
  const cluster = await opened(
    startCluster({
      redisUrl: redis.url,
      edges: edgeCount,
      namespace: NAMESPACE,
      edgeArgs: [...edgeArgs, ...profileArgs],
      presenceArgs: [...heapArgs, ...profileArgs],
      env,
    }),
  );
  const { edges, presence } = cluster;
  if (!hasPriority([...presence.pids, ...redis.pids]))
    console.warn('Without priority: presence and Redis. That needs root.');
  const parts = { edges, presence: [presence], redis: [redis], clients: [crowd] };
  const memory = () => Object.fromEntries(Object.entries(parts).map(([who, own]) => [who, residentOf(own)]));
  await crowd.prepare({ originUs, dialect: 'hubbub' });
  const memoryEmpty = memory();
  progress.step('connecting');
  const opening = await openAll({ ports: edges.map(({ port }) => port), parts });
  progress.step('rosters');
  const rostersSeconds = await secondsUntil(() => rostersAreRight(cluster, rooms, connections), ROSTERS_WITHIN_MS);
  await sleep(CALM_MS);
  const memoryOpen = memory();
  const machineBytes = availableAtFirst - availableBytes();
  progress.step('a minute of silence');
  await sleep(IDLE_MS);
  const edgesIdle = residentOf(edges);

  progress.step(`${rate} messages a second for ${seconds} s`);
  const commands = new Redis(redis.url);
  await opened({ close: async () => commands.disconnect() });
  const hubbub = await connectHubbub({ redisUrl: redis.url });
  await opened({ close: () => hubbub.close() });
  const meter = cpuMeter({
    // The killed and the drained edge take their processor times with them.
    edges: pidsOf(edges.slice(2)),
    presence: presence.pids,
    redis: redis.pids,
  });
  await commands.config('RESETSTAT');
  await crowd.latencies();
  const before = meter.look();
  const talk = startTalk({ hubbub, rooms, rate, clock });
  const [killed, drained, ...staying] = edges;
  await sleep(seconds * KILL_AFTER * 1000);
  const quiet = await crowd.latencies();
  progress.step('kill -9 of one edge');
  await crowd.at([drained, ...staying].map(({ port }) => port));
  await killed.kill();
  await sleep(seconds * (DRAIN_AFTER - KILL_AFTER) * 1000);
  progress.step('SIGTERM to another one');
  await crowd.at(staying.map(({ port }) => port));
  await drained.terminate();
  const allBack = async () => (await crowd.progress()).open === connections;
  const backSeconds = await secondsUntil(allBack, RETURN_WITHIN_MS);
  await sleep(seconds * (1 - DRAIN_AFTER) * 1000);
  progress.step('the last messages');
  const { published, retried } = await talk.stop();
  const after = meter.look();
  const calls = await commandCalls(commands);
  const settled = await crowd.settle({ published, withinMs: SETTLE_WITHIN_MS });
  const troubled = await crowd.latencies();
  const { received, ...counts } = await crowd.progress();

  progress.step('rosters after the lease of the killed edge');
  const rostersAgainSeconds = await secondsUntil(() => rostersAreRight(cluster, rooms, connections), ROSTERS_WITHIN_MS);
  progress.step('one broadcast');
  await hubbub.publishToAll({ type: 'scale.broadcast', payload: {} });
  const heardAll = async () => (await crowd.progress()).heardBroadcast === connections;
  const broadcastSeconds = await secondsUntil(heardAll, BROADCAST_WITHIN_MS);
  const { heardBroadcast } = await crowd.progress();
  const { broadcastsTwice } = await crowd.settle({ published, withinMs: 0 });
  progress.step('Redis loses its data');
  const repeatedBefore = await cluster.repeatedJoins();
  const hasResynced = async () =>
    (await cluster.repeatedJoins()) - repeatedBefore >= connections &&
    (await rostersAreRight(cluster, rooms, connections));
  const resyncMeter = cpuMeter({ edges: pidsOf(staying), presence: presence.pids, redis: redis.pids });
  const beforeResync = resyncMeter.look();
  await commands.flushall();
  const resyncSeconds = await secondsUntil(() => hasResynced().catch(() => false), RESYNC_WITHIN_MS);
  const resyncCores = resyncMeter.between(beforeResync, resyncMeter.look());
  const repeatedJoins = (await cluster.repeatedJoins()) - repeatedBefore;
  const openAfterResync = (await crowd.progress()).open;
  progress.step('ending');
  await crowd.disconnect();

  const loadSeconds = (after.at - before.at) / 1000;
  const messages = published.reduce((sum, count) => sum + count, 0);
  return {
    bareOpening,
    opening,
    rostersSeconds,
    memoryEmpty,
    memoryOpen,
    machineBytes,
    edgesIdle,
    loadSeconds,
    said: messages,
    retried,
    received,
    quiet: percentiles(quiet),
    troubled: percentiles(troubled),
    cores: meter.between(before, after),
    redisCommandsPerSecond: Object.values(calls).reduce((sum, count) => sum + count, 0) / loadSeconds,
    redisCalls: calls,
    backSeconds,
    ...counts,
    ...settled,
    rostersAgainSeconds,
    heardBroadcast,
    broadcastSeconds,
    broadcastsTwice,
    resyncSeconds,
    resyncCores,
    repeatedJoins,
    openAfterResync,
    edgeTroubles: [...edges, presence].flatMap(part => part.troubles()),
  };
}

/**
 * Edges and clients are a hundred processes on few cores here, and the scheduler would give presence the share of one of them. In
 * production presence and Redis have cores of their own.
 * @param {readonly number[]} pids @returns {boolean} whether the system permits it
 */
function hasPriority(pids) {
  try {
    for (const pid of pids) setPriority(pid, PRIORITY);
    return true;
  } catch {
    return false;
  }
}

function percentiles(histogram) {
  const at = fraction => (histogram.percentile(fraction) ?? Number.NaN) / 1000;
  return { p50Ms: at(0.5), p99Ms: at(0.99), p999Ms: at(0.999) };
}
