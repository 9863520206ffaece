/** Measures the memory and the running cost of clients that are in their rooms and send nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DISTURBED_CPU, quietMachine } from '../machine/quiet.mjs';
import { commandCalls } from '../machine/redis-figures.mjs';
import { cpuMeter, residentBytes } from '../machine/usage.mjs';
import { COLLECTABLE } from '../relays/start.mjs';
import { portsOf, processesFor, requestsOf, roomNames, startMembers } from './crew.mjs';
import { createClock, machineMicros, withParts } from './measurement.mjs';

const AT_ONCE = 64;
/** Time for the work that follows a start or a garbage collection. */
const CALM_MS = 2000;

/** @param {object} turn of a comparison; settings: `connections`, `perRoom`, `settle` (seconds) @returns {Promise<object[]>} one row */
export function measureMemory(turn) {
  return withParts(async opened => {
    const { running, connect, members } = await prepareIdle(turn, opened, COLLECTABLE);
    await sleep(CALM_MS);
    const empty = residentOf(running);
    const emptyCollected = await collected(running);
    await connect();
    await sleep(turn.settings.settle * 1000);
    const full = residentOf(running);
    const fullCollected = await collected(running);
    const { connections } = turn.settings;
    return [
      {
        step: connections,
        emptyMiB: empty / 2 ** 20,
        bytesPerConnection: (full - empty) / connections,
        bytesPerConnectionCollected: (fullCollected - emptyCollected) / connections,
        ended: await members.ended(),
      },
    ];
  });
}

/** @param {object} turn of a comparison; settings: `connections`, `perRoom`, `settle`, `seconds`, `patience` @returns {Promise<object[]>} one row */
export function measureIdleCost(turn) {
  const { redis, commands, settings } = turn;
  const { connections, settle, seconds, patience } = settings;
  return withParts(async opened => {
    const { running, connect, members } = await prepareIdle(turn, opened, []);
    await connect();
    await sleep(settle * 1000);
    await quietMachine(patience * 1000);
    const load = [...members.pids, process.pid];
    const meter = cpuMeter({ relay: running.pids, helpers: running.helpers, load, redis: [redis.pid] });
    await commands.config('RESETSTAT');
    const before = meter.look();
    await sleep(seconds * 1000);
    const cores = meter.between(before, meter.look());
    const calls = await commandCalls(commands);
    return [
      {
        step: connections,
        relayCpuPercent: cores.relay * 100,
        helpersCpuPercent: cores.helpers * 100,
        redisCpuPercent: cores.redis * 100,
        redisCommandsPerSecond: Object.values(calls).reduce((sum, count) => sum + count, 0) / seconds,
        redisCalls: calls,
        loadCpu: cores.load,
        othersCpu: cores.others,
        disturbed: cores.others > DISTURBED_CPU,
        ended: await members.ended(),
      },
    ];
  });
}

async function prepareIdle({ relay, settings, redis, pinning, nodeArgs }, opened, moreArgs) {
  const { connections, perRoom } = settings;
  const running = await opened(
    relay.start({
      redisUrl: redis.url,
      cpus: pinning.relay,
      helperCpus: pinning.load,
      nodeArgs: [...nodeArgs, ...moreArgs],
      presence: true,
    }),
  );
  const members = await opened(startMembers({ processes: processesFor(connections, pinning), cpus: pinning.load }));
  const rooms = roomNames(Math.ceil(connections / perRoom));
  const requests = requestsOf({ rooms, members: perRoom, relay, running }).slice(0, connections);
  const { originUs } = createClock(machineMicros());
  await members.prepare({ originUs, dialect: relay.dialect, requests });
  return { running, members, connect: () => members.connect({ ports: portsOf(running), atOnce: AT_ONCE }) };
}

/** @returns {Promise<number>} resident bytes without garbage */
async function collected(running) {
  running.collect();
  await sleep(CALM_MS);
  return residentOf(running);
}

function residentOf({ pids }) {
  return pids.reduce((sum, pid) => sum + residentBytes(pid), 0);
}
