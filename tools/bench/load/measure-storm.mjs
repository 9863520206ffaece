/**
 * Many clients connect simultaneously, each with a token, and join a room.
 * They connect to a fresh relay, or to the remaining one after SIGKILL of theirs.
 */

import { DISTURBED_CPU, quietMachine } from '../machine/quiet.mjs';
import { cpuMeter } from '../machine/usage.mjs';
import { processesFor, requestsOf, roomNames, startMembers } from './crew.mjs';
import { createClock, machineMicros, withParts } from './measurement.mjs';

/** Handshakes of one process in flight. */
const STORM_AT_ONCE = 500;

/**
 * @param {object} turn of a comparison; settings: `connections`, `perRoom`, `patience`
 * @param {{ again: boolean }} options whether the clients reconnect after the end of their relay
 * @returns {Promise<object[]>} one row
 */
export function measureStorm({ relay, settings, redis, pinning, nodeArgs }, { again }) {
  const { connections, perRoom, patience } = settings;
  return withParts(async opened => {
    const { originUs, ...clock } = createClock(machineMicros());
    const rooms = roomNames(Math.ceil(connections / perRoom));
    const start = { redisUrl: redis.url, cpus: pinning.relay, helperCpus: pinning.load, nodeArgs };
    const first = await opened(relay.start({ ...start, presence: true }));
    const last = again
      ? await opened(relay.start({ ...start, presence: false, env: { HUBBUB_NODE_ID: 'bench-2' } }))
      : first;
    const members = await opened(startMembers({ processes: processesFor(connections, pinning), cpus: pinning.load }));
    const requests = requestsOf({ rooms, members: perRoom, relay, running: first }).slice(0, connections);
    await members.prepare({ originUs, dialect: relay.dialect, requests });
    if (again) {
      await members.connect({ ports: [first.port], atOnce: STORM_AT_ONCE });
      await quietMachine(patience * 1000);
    } else await quietMachine(patience * 1000);

    const meter = cpuMeter({
      relay: last.pids,
      load: [...members.pids, ...first.helpers, process.pid],
      redis: [redis.pid],
    });
    const before = meter.look();
    const startUs = clock.now();
    if (again) {
      first.kill();
      await members.gone();
    }
    const readyUs = (await members.connect({ ports: [last.port], atOnce: STORM_AT_ONCE })).sort((a, b) => a - b);
    const after = meter.look();
    const cores = meter.between(before, after);
    const allOpenMs = (readyUs.at(-1) - startUs) / 1000;
    const relaySeconds = (cores.relay * (after.at - before.at)) / 1000;
    return [
      {
        step: connections,
        allOpenMs,
        halfOpenMs: (readyUs[connections >> 1] - startUs) / 1000,
        openPerSecond: connections / (allOpenMs / 1000),
        relayCpuUsPerConnection: (relaySeconds * 1e6) / connections,
        relayCpu: cores.relay,
        loadCpu: cores.load + cores.redis,
        redisCpu: cores.redis,
        othersCpu: cores.others,
        disturbed: cores.others > DISTURBED_CPU,
        ended: await members.ended(),
      },
    ];
  });
}
