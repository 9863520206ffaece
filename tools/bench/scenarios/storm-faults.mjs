/**
 * Kills the edges of many clients, so that all of them reconnect to the other edges simultaneously, while a fault lasts.
 * Then no healthy edge may be reaped, the rosters must be right soon, and no message of a room with history may be lost.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connectHubbub } from '@hubbub/server';
import { findRedis, startRedis } from '@hubbub/tools/kit';
import { boundTime, ownCommand } from '../../command-line.mjs';
import { describeMachine } from '../../report/machine.mjs';
import { countsInWords, countsOf, table, whole } from '../../report/tables.mjs';
import { roomNames } from '../load/crew.mjs';
import { startCrowd } from '../load/crowd.mjs';
import { createClock, machineMicros, withParts } from '../load/measurement.mjs';
import { ONE_CORE } from '../machine/pinning.mjs';
import { rostersAreRight, secondsUntil, startCluster } from '../scale/cluster.mjs';
import { startTalk } from '../scale/talk.mjs';

const NAMESPACE = 'kept';
const FULL = {
  faults: ['none', 'redis-frozen', 'presence-killed', 'presence-frozen', 'edge-starved'],
  clients: 20_000,
  perRoom: 20,
  rate: 200,
};
const QUICK = { faults: ['none', 'redis-frozen'], clients: 1000 };
/** Two are killed; the other two take all clients. */
const EDGES = 4;
const KILLED = 2;
const CALM_MS = 3000;
const RIGHT_WITHIN_MS = 120_000;
const SETTLE_WITHIN_MS = 30_000;
const FAULT_LIMIT_S = 420;
/** After the end of a fault. */
const ROSTERS_TARGET_S = 15;
/** A starved edge has a tenth of a core. */
const STARVED = { forMs: 15_000, runsMs: 10, stopsMs: 90 };

/** Each resolves when the fault is over. */
const FAULTS = {
  none: async () => {},
  async 'redis-frozen'({ redis }) {
    await redis.pause();
    await sleep(10_000);
    await redis.resume();
  },
  async 'presence-killed'({ cluster }) {
    cluster.presence.kill();
    await cluster.addPresence();
  },
  async 'presence-frozen'({ cluster: { presence } }) {
    process.kill(presence.pids[0], 'SIGSTOP');
    await sleep(20_000);
    process.kill(presence.pids[0], 'SIGCONT');
  },
  async 'edge-starved'({ cluster: { edges } }) {
    const [pid] = edges.at(-1).pids;
    const endMs = performance.now() + STARVED.forMs;
    while (performance.now() < endMs) {
      process.kill(pid, 'SIGSTOP');
      await sleep(STARVED.stopsMs);
      process.kill(pid, 'SIGCONT');
      await sleep(STARVED.runsMs);
    }
  },
};

export const stormFaults = {
  name: 'storm-faults',
  description:
    '20,000 clients lose their edges to kill -9 and reconnect simultaneously, while Redis, presence or an edge fails; no relays are compared',

  full: FULL,
  quick: QUICK,

  /** @param {typeof FULL} settings */
  async run(settings) {
    boundTime(settings.faults.length * FAULT_LIMIT_S);
    const machine = describeMachine({
      redis: findRedis().version,
      pinning: 'not pinned: all processes share the cores',
    });
    const rows = [];
    for (const fault of settings.faults) {
      const row = await measure(fault, settings);
      rows.push(row);
      console.log(JSON.stringify(row));
    }
    const { name: scenario, description } = stormFaults;
    const run = { scenario, description, command: ownCommand('npm run bench'), settings, machine, rows };
    console.log(`\n${stormFaults.summarize(run)}\n`);
    if (!rows.every(isRight)) process.exitCode = 1;
    return run;
  },

  summarize({ rows, settings }) {
    const verdict = rows.every(isRight) ? 'kept' : 'MISSED';
    const head = [
      'fault',
      'all back s',
      'rosters right s',
      'edges reaped',
      'lost',
      'repeated',
      'not recovered',
      'refused',
    ];
    const lines = rows.map(row => [
      row.fault,
      inSeconds(row.backSeconds),
      inSeconds(row.rostersSeconds),
      `${row.reapedNodes} of ${KILLED} killed`,
      ...['lost', 'repeated', 'notRecovered', 'refused'].map(key => whole(row[key])),
    ]);
    return [
      `Nothing lost, only killed edges reaped, rosters right within ${ROSTERS_TARGET_S} s after the fault: ${verdict}.`,
      table(head, lines),
      `${whole(settings.clients)} clients, ${EDGES} edges, of which ${KILLED} are killed. Times count from the end of the fault.`,
      ...rows.flatMap(({ fault, events }) => {
        const words = countsInWords(events);
        return words === '' ? [] : [`- ${fault}: warnings of edges and presence: ${words}`];
      }),
    ].join('\n\n');
  },
};

function measure(fault, { clients, perRoom, rate }) {
  return withParts(async opened => {
    const clock = createClock(machineMicros());
    const redis = await startRedis();
    await opened({ close: () => redis.dispose() });
    const cluster = await opened(
      startCluster({ redisUrl: redis.url, edges: EDGES, namespace: NAMESPACE, edgeArgs: ONE_CORE, presenceArgs: [] }),
    );
    const { edges, presence } = cluster;
    const rooms = roomNames(Math.ceil(clients / perRoom), `${NAMESPACE}:`);
    const crowd = await opened(startCrowd({ processes: 2, connections: clients, rooms, edgesPerRoom: KILLED }));
    await crowd.prepare({ originUs: clock.originUs, dialect: 'hubbub' });
    const [killed, staying] = [edges.slice(0, KILLED), edges.slice(KILLED)];
    await crowd.at(killed.map(({ port }) => port));
    await crowd.connect();
    const before = await secondsUntil(() => rostersAreRight(cluster, rooms, clients), RIGHT_WITHIN_MS);
    if (before === undefined) throw new Error('The rosters were not right before the fault.');
    const hubbub = await connectHubbub({ redisUrl: redis.url });
    await opened({ close: () => hubbub.close() });
    const talk = startTalk({ hubbub, rooms, rate, clock });
    await sleep(CALM_MS);

    await crowd.at(staying.map(({ port }) => port));
    for (const edge of killed) edge.kill();
    await FAULTS[fault]({ redis, cluster });
    const allBack = async () => {
      const { open, returns } = await crowd.progress();
      return open === clients && returns >= clients;
    };
    const backSeconds = await secondsUntil(allBack, RIGHT_WITHIN_MS);
    // Until the dead edges are reaped, the rosters name their sessions too, of the same users.
    const isRight = async () =>
      (await cluster.reapedNodes()) >= KILLED && (await rostersAreRight(cluster, rooms, clients));
    const rosters = await secondsUntil(() => isRight().catch(() => false), RIGHT_WITHIN_MS);
    const { published, retried } = await talk.stop();
    const settled = await crowd.settle({ published, withinMs: SETTLE_WITHIN_MS });
    const { open, refused, returns, notRecovered } = await crowd.progress();
    return {
      fault,
      backSeconds: backSeconds ?? null,
      rostersSeconds: backSeconds === undefined || rosters === undefined ? null : backSeconds + rosters,
      reapedNodes: await cluster.reapedNodes(),
      published: published.reduce((sum, count) => sum + count, 0),
      retried,
      open,
      refused,
      returns,
      notRecovered,
      ...settled,
      events: countsOf([...staying, presence].flatMap(part => part.troubles())),
    };
  });
}

function isRight({ lost, late, repeated, reapedNodes, rostersSeconds }) {
  const isKept = lost + late + repeated === 0 && reapedNodes <= KILLED;
  return isKept && rostersSeconds !== null && rostersSeconds <= ROSTERS_TARGET_S;
}

function inSeconds(seconds) {
  return seconds === null ? 'never' : seconds.toFixed(1);
}
