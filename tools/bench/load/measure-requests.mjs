/** Measures one process of the HTTP API: a back end publishes with a fixed number of requests in flight. */
import { DISTURBED_CPU, quietMachine } from '../machine/quiet.mjs';
import { cpuMeter } from '../machine/usage.mjs';
import { Histogram } from './histogram.mjs';
import { withParts } from './measurement.mjs';

const SETTLE_MS = 1500;
const BODY = JSON.stringify({ type: 'build.finished', payload: { text: 'x'.repeat(100) } });

/** @returns {Promise<object[]>} one row */
export function measureRequests({ relay, settings: { inFlight, seconds, patience }, redis, pinning, nodeArgs }) {
  return withParts(async opened => {
    const api = await opened(relay.start({ redisUrl: redis.url, cpus: pinning.relay, nodeArgs }));
    const headers = { authorization: `Bearer ${api.key}`, 'content-type': 'application/json' };
    const publish = async () => {
      const answer = await fetch(`${api.url}/rooms/general/messages`, { method: 'POST', headers, body: BODY });
      await answer.arrayBuffer();
      if (answer.status !== 200) throw new Error(`the API answered ${answer.status}`);
    };
    await quietMachine(patience * 1000);
    const meter = cpuMeter({ relay: [api.pid], load: [process.pid], redis: [redis.pid] });
    await publishFor(SETTLE_MS, inFlight, publish);
    const before = meter.look();
    const latencies = await publishFor(seconds * 1000, inFlight, publish);
    const cores = meter.between(before, meter.look());
    const milliseconds = us => (us === null ? null : us / 1000);
    return [
      {
        step: inFlight,
        requestsPerSecond: latencies.total / seconds,
        p50Ms: milliseconds(latencies.percentile(0.5)),
        p99Ms: milliseconds(latencies.percentile(0.99)),
        relayCpu: cores.relay,
        relayCpuUsPerRequest: (cores.relay * seconds * 1e6) / latencies.total,
        loadCpu: cores.load + cores.redis,
        othersCpu: cores.others,
        disturbed: cores.others > DISTURBED_CPU,
      },
    ];
  });
}

/** Each caller sends its next request after the answer to the one before. */
async function publishFor(ms, inFlight, publish) {
  const untilMs = performance.now() + ms;
  const latencies = new Histogram();
  const call = async () => {
    while (performance.now() < untilMs) {
      const fromMs = performance.now();
      await publish();
      latencies.record(Math.round((performance.now() - fromMs) * 1000));
    }
  };
  await Promise.all(Array.from({ length: inFlight }, call));
  return latencies;
}
