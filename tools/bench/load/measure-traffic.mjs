/** Measures one relay: starts it, fills the rooms, sends at rising rates, and checks arrival, latency and order. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DISTURBED_CPU, quietMachine } from '../machine/quiet.mjs';
import { cpuMeter } from '../machine/usage.mjs';
import { portsOf, processesFor, requestsOf, startMembers, startPublisher } from './crew.mjs';
import { createClock, machineMicros, withParts } from './measurement.mjs';

const CONNECTING_AT_ONCE = 64;
/** Default time of load before the window opens: V8 compiles the relay's code in it. */
const SETTLE_MS = 1500;
/** Time of load after the window closes, so that the end of the window is like its middle. */
const TAIL_MS = 200;
/** Messages in flight when the publisher stops count as late after this time. */
const ARRIVE_WITHIN_MS = 20_000;
/** Repeats of a measurement that other processes disturbed. The disturbed rows stay, marked as such. */
const REPEATS_MAX = 1;
/**
 * A relay that delivers less than this part of all messages is saturated: higher rates would only lengthen its queues.
 * The limit is lower where other processes disturbed the measurement.
 */
const SATURATED = { quiet: 0.9, disturbed: 0.5 };

/**
 * @typedef {object} Load
 * @property {readonly string[]} rooms @property {number} members listeners in each room
 * @property {readonly number[]} rates @property {number} seconds @property {number} patience
 * @property {number} [frameBytes] size of a service's messages @property {number} [talkers] of each room; they replace the service
 * @property {number} [settle] seconds after the joins, in which presence and others finish their work for them
 * @property {number} [settleMs] @property {NodeJS.ProcessEnv} [env]
 */

/**
 * @typedef {object} TrafficOptions
 * @property {import('../relays/catalogue.mjs').Relay} relay
 * @property {Load} load
 * @property {{ url: string, pid: number }} redis
 * @property {import('../machine/pinning.mjs').Pinning} pinning
 * @property {readonly string[]} nodeArgs of the relay
 */

/**
 * @param {TrafficOptions} options
 * @returns {Promise<object[]>} a row for each rate up to the one that saturates the relay
 */
export function measureTraffic(options) {
  const { load } = options;
  const { members: listeners } = load;
  return withParts(async opened => {
    const parts = await openTraffic(options, opened);
    const rows = [];
    for (const rate of load.rates) {
      for (let repeat = 0; repeat <= REPEATS_MAX; repeat++) {
        await quietMachine(load.patience * 1000);
        rows.push(await measureRate({ rate, ...parts }));
        if (!rows.at(-1).disturbed || load.patience === 0) break;
      }
      const { deliveriesPerSecond, disturbed } = rows.at(-1);
      if (deliveriesPerSecond < SATURATED[disturbed ? 'disturbed' : 'quiet'] * rate * listeners) break;
    }
    return rows;
  });
}

/**
 * Starts the relay and fills the rooms.
 * @param {TrafficOptions} options @param opened of `withParts` @returns the options of `measureRate`, without the rate
 */
export async function openTraffic({ relay, load, redis, pinning, nodeArgs }, opened) {
  const { rooms, members: listeners, talkers = 0 } = load;
  const { originUs, ...clock } = createClock(machineMicros());
  const running = await opened(
    relay.start({ redisUrl: redis.url, cpus: pinning.relay, helperCpus: pinning.load, nodeArgs, env: load.env }),
  );
  const processes = processesFor(rooms.length * listeners, pinning);
  const members = await opened(startMembers({ processes, cpus: pinning.load }));
  const requests = requestsOf({ rooms, members: listeners, talkers, relay, running });
  await members.prepare({ originUs, dialect: relay.dialect, requests });
  await members.connect({ ports: portsOf(running), atOnce: CONNECTING_AT_ONCE });
  await sleep((load.settle ?? 0) * 1000);
  const sender =
    talkers > 0
      ? talking(members)
      : await opened(publishing({ relay, load, redis, pinning, originUs, api: running.api }));
  const meter = cpuMeter({
    relay: running.pids,
    load: [...members.pids, ...sender.pids, ...running.helpers, process.pid],
    redis: [redis.pid],
  });
  return { load, clock, members, sender, meter, troubles: running.troubles };
}

function talking(members) {
  return { pids: [], send: members.talk };
}

/** Publishes to one room after another, as services do through Redis, or as back ends do through an HTTP API. */
async function publishing({ relay, load: { rooms, frameBytes }, redis, pinning, originUs, api }) {
  const publisher = startPublisher({ cpus: pinning.load });
  const channels = rooms.map(relay.channel);
  await publisher.open({ originUs, redisUrl: redis.url, api, rooms, channels, frameBytes, form: relay.form });
  return { pids: publisher.pids, send: publisher.publish, close: publisher.close };
}

/** @param {object} options result of `openTraffic`, with `rate` and `talkersOf`: the range of rooms with active talkers, all by default */
export async function measureRate({ rate, talkersOf, load, clock, members, sender, meter, troubles }) {
  const { seconds, settleMs = SETTLE_MS } = load;
  const fromUs = clock.now() + settleMs * 1000;
  const toUs = fromUs + seconds * 1e6;
  await members.openWindow({ fromUs, toUs });
  const sending = sender.send({ perSecond: rate, forMs: settleMs + seconds * 1000 + TAIL_MS, talkersOf });
  sending.catch(() => {}); // Reported where it is awaited.
  const atStart = meter.look();
  await clock.until(fromUs);
  const before = meter.look();
  await clock.until(toUs);
  const after = meter.look();
  const { published, unheard, worstDelayMs } = await sending;
  const report = await members.settle({ published, withinMs: ARRIVE_WITHIN_MS });
  const { latencies, acks, deliveredInWindow, troubles: clientTroubles, ...checks } = report;
  const cores = meter.between(before, after);
  return {
    step: rate,
    deliveriesPerSecond: deliveredInWindow / seconds,
    p50Ms: milliseconds(latencies.percentile(0.5)),
    p99Ms: milliseconds(latencies.percentile(0.99)),
    p999Ms: milliseconds(latencies.percentile(0.999)),
    ackP50Ms: milliseconds(acks.percentile(0.5)),
    ackP99Ms: milliseconds(acks.percentile(0.99)),
    relayCpu: cores.relay,
    relayCpuUsPerDelivery: (cores.relay * seconds * 1e6) / deliveredInWindow,
    loadCpu: cores.load + cores.redis,
    redisCpu: cores.redis,
    othersCpu: cores.others,
    // Other processes took processor time from the relay or its load, in the window or before it.
    disturbed: Math.max(cores.others, meter.between(atStart, before).others) > DISTURBED_CPU,
    senderWorstDelayMs: worstDelayMs,
    withoutSubscriber: unheard,
    relayTroubles: counts(troubles()),
    clientTroubles,
    ...checks,
  };
}

/** @param {readonly string[]} events @returns {Record<string, number>} */
function counts(events) {
  const sums = {};
  for (const event of events) sums[event] = (sums[event] ?? 0) + 1;
  return sums;
}

function milliseconds(us) {
  return us === null ? null : us / 1000;
}
