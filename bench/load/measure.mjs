/** One measurement of one relay: start it, fill the room, publish at each rate, and see what arrives, when, in which order. */
import { cpuSeconds, machineSeconds } from '../machine/cpu-time.mjs';
import { DISTURBED_CPU, quietMachine } from '../machine/quiet.mjs';
import { createClock, machineMicros } from './clock.mjs';
import { startMembers, startPublisher } from './crew.mjs';
import { layoutOf } from './message.mjs';

/** The load runs for so long before the window opens: the relay's code is compiled by then. */
const SETTLE_MS = 1500;
/** And for so long after it closed, so that the end of the window is like its middle. */
const TAIL_MS = 200;
/** What is under way when the publisher stops has so long to arrive; then it counts as late. */
const ARRIVE_WITHIN_MS = 20_000;
/** A measurement that others disturbed is kept, marked, and repeated, as often as this. */
const REPEATS_MAX = 1;

/** One process reads for a core; with more cores to load from, more of them. */
const MEMBERS_PER_PROCESS_MIN = 250;
const LOAD_PROCESSES_MAX = 4;

/**
 * @param {object} options
 * @param {import('../relays/catalogue.mjs').Relay & { name: string }} options.relay
 * @param {{ room: string, members: number, rates: readonly number[], frameBytes: number, seconds: number,
 *   patienceSeconds: number }} options.load
 * @param {{ url: string, pids: readonly number[] }} options.redis
 * @param {import('../machine/pinning.mjs').Pinning} options.pinning
 * @param {readonly string[]} options.nodeArgs of the relay
 * @returns {Promise<object[]>} a row for each rate
 */
export async function measureRelay({ relay, load, redis, pinning, nodeArgs }) {
  const { room, frameBytes } = load;
  const clock = createClock(machineMicros());
  const open = [];
  const opened = async starting => {
    const part = await starting;
    open.unshift(part);
    return part;
  };
  try {
    const running = await opened(relay.start({ redisUrl: redis.url, room, cpus: pinning.relay, nodeArgs }));
    const members = await opened(startMembers({ processes: processesFor(load, pinning), cpus: pinning.load }));
    const publisher = await opened(startPublisher({ cpus: pinning.load }));
    const requests = Array.from({ length: load.members }, (_, i) => ({
      path: `/rooms/${room}/ws`,
      headers: running.headers(i),
    }));
    const { port } = running;
    const { awaitsWelcome, form } = relay;
    const layout = layoutOf({ room, frameBytes });
    await members.connect({ originUs: clock.originUs, port, requests, awaitsWelcome, layout });
    await publisher.open({
      originUs: clock.originUs,
      redisUrl: redis.url,
      channel: relay.channel(room),
      room,
      frameBytes,
      form,
    });

    const pids = { relay: running.pids, load: [...members.pids, ...publisher.pids, ...redis.pids] };
    const parts = { seconds: load.seconds, clock, members, publisher, pids, troubles: running.troubles };
    const rows = [];
    for (const rate of load.rates) {
      for (let repeat = 0; repeat <= REPEATS_MAX; repeat++) {
        await quietMachine(load.patienceSeconds * 1000);
        rows.push(await measureRate({ rate, ...parts }));
        if (!rows.at(-1).disturbed) break;
      }
    }
    return rows;
  } finally {
    for (const part of open) await part.close();
  }
}

async function measureRate({ rate, seconds, clock, members, publisher, pids, troubles }) {
  const fromUs = clock.now() + SETTLE_MS * 1000;
  const toUs = fromUs + seconds * 1e6;
  await members.openWindow({ fromUs, toUs });
  const publishing = publisher.publish({ perSecond: rate, forMs: SETTLE_MS + seconds * 1000 + TAIL_MS });
  publishing.catch(() => {}); // Told where it is awaited.
  const atStart = cpuOf(pids);
  await clock.until(fromUs);
  const before = cpuOf(pids);
  await clock.until(toUs);
  const after = cpuOf(pids);
  const { published, unheard, worstDelayMs } = await publishing;
  const { latencies, deliveredInWindow, ...report } = await members.settle({ published, withinMs: ARRIVE_WITHIN_MS });
  const relaySeconds = after.relay - before.relay;
  const loadSeconds = after.load - before.load;
  const othersCpu = cpuOfOthers(before, after) / seconds;
  return {
    rate,
    deliveriesPerSecond: deliveredInWindow / seconds,
    p50Ms: milliseconds(latencies.percentile(0.5)),
    p99Ms: milliseconds(latencies.percentile(0.99)),
    p999Ms: milliseconds(latencies.percentile(0.999)),
    relayCpu: relaySeconds / seconds,
    relayCpuUsPerDelivery: (relaySeconds * 1e6) / deliveredInWindow,
    loadCpu: loadSeconds / seconds,
    othersCpu,
    // Somebody else took processor time from the relay or its load, then or before the window: the figures say little.
    disturbed: Math.max(othersCpu, cpuOfOthers(atStart, before) / (SETTLE_MS / 1000)) > DISTURBED_CPU,
    publisherWorstDelayMs: worstDelayMs,
    withoutSubscriber: unheard,
    relayTroubles: counts(troubles()),
    ...report,
  };
}

function cpuOf(pids) {
  return { relay: cpuSeconds(pids.relay), load: cpuSeconds(pids.load), machine: machineSeconds() };
}

/** Seconds that neither relay nor load used. */
function cpuOfOthers(before, after) {
  return after.machine - before.machine - (after.relay - before.relay) - (after.load - before.load);
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

function processesFor({ members }, { loadCores }) {
  return Math.max(1, Math.min(loadCores, LOAD_PROCESSES_MAX, Math.floor(members / MEMBERS_PER_PROCESS_MIN)));
}
