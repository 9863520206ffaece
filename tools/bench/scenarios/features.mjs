/** The cost of features that operators turn on: traces, explain, webhooks, keys with limits and the audit log. */
import { noTracing } from '@hubbub/runtime';
import { roomNames } from '../load/crew.mjs';
import { measureRequests } from '../load/measure-requests.mjs';
import { measureTraffic } from '../load/measure-traffic.mjs';
import { API, TRACING, WEBHOOKS } from '../relays/variants.mjs';
import { TALK_MEASURES } from './traffic.mjs';

const QUICK = { rounds: 1, seconds: 1, patience: 0 };
const OVERHEAD_S = 120;
const turnSeconds = ({ rates = [1], seconds, patience }) => OVERHEAD_S + 2 * rates.length * (seconds + patience + 30);

/** Nanoseconds of the calls that a message makes while tracing is off: at its sender's edge, at the publish, at a delivery. */
function offNanoseconds() {
  const calls = 3_000_000;
  const start = { name: 'send_message', kind: 'server' };
  let found = 0;
  const loop = () => {
    for (let n = 0; n < calls; n++) {
      const span = noTracing.start(start);
      span?.startChild(start).end();
      if (noTracing.start(start) !== undefined) found++;
      span?.end();
    }
  };
  loop();
  const from = process.hrtime.bigint();
  loop();
  return found + Number(process.hrtime.bigint() - from) / calls;
}

/** @type {import('../comparison.mjs').Comparison} */
export const tracing = {
  name: 'tracing',
  description:
    'clients talk in 100 rooms, one talker and 10 listeners each: Hubbub beside itself with traces and explain on and off',
  stepTitle: 'msg/s',
  relays: TRACING,
  full: { relays: Object.keys(TRACING), rounds: 10, seconds: 5, patience: 5, rooms: 100, members: 10, rates: [1000] },
  quick: QUICK,
  warmUp: { seconds: 2, patience: 0 },
  measures: [...TALK_MEASURES, 'tracingOffNs'],
  targets: [
    { relay: 'off-again', against: 'off', key: 'relayCpuUsPerDelivery', atMost: 1.03 },
    { relay: 'off', against: 'no-explain', key: 'relayCpuUsPerDelivery', atMost: 1.03 },
    { relay: 'traced-1', against: 'off', key: 'relayCpuUsPerDelivery', atMost: 1.05 },
    { relay: 'off', key: 'tracingOffNs', atMost: 100 },
  ],
  turnSeconds,
  async measure({ settings, ...turn }) {
    const rows = await measureTraffic({
      ...turn,
      load: { ...settings, rooms: roomNames(settings.rooms), talkers: 1 },
    });
    if (turn.relay.name !== 'off') return rows;
    return rows.map(row => ({ ...row, tracingOffNs: offNanoseconds() }));
  },
};

/** @type {import('../comparison.mjs').Comparison} */
export const webhooks = {
  name: 'webhooks',
  description: '100 clients send events for services, and get an ack: with webhooks and without',
  stepTitle: 'event/s',
  relays: WEBHOOKS,
  full: { relays: Object.keys(WEBHOOKS), rounds: 10, seconds: 5, patience: 5, rooms: 100, rates: [1000] },
  quick: QUICK,
  warmUp: { seconds: 2, patience: 0 },
  measures: ['ackP50Ms', 'ackP99Ms', 'relayCpu', 'relayCpuUsPerMessage', 'redisCpu', 'loadCpu', 'othersCpu'],
  targets: [{ relay: 'webhooks', against: 'events-wait', key: 'relayCpuUsPerMessage', atMost: 1.1 }],
  turnSeconds,
  async measure({ settings, ...turn }) {
    const load = { ...settings, rooms: roomNames(settings.rooms), members: 0, talkers: 1 };
    const rows = await measureTraffic({ ...turn, load });
    return rows.map(({ deliveriesPerSecond: _, relayCpuUsPerDelivery: __, ...row }) => ({
      ...row,
      relayCpuUsPerMessage: (row.relayCpu * 1e6) / row.step,
    }));
  },
};

/** @type {import('../comparison.mjs').Comparison} */
export const apiKeys = {
  name: 'api-keys',
  description:
    'a back end publishes over the HTTP API, 8 requests in flight: with a key that has limits, with the audit log, with traces',
  stepTitle: 'in flight',
  relays: API,
  full: { relays: Object.keys(API), rounds: 10, seconds: 4, patience: 5, inFlight: 8 },
  quick: QUICK,
  warmUp: { seconds: 2, patience: 0 },
  measures: ['requestsPerSecond', 'p50Ms', 'p99Ms', 'relayCpu', 'relayCpuUsPerRequest', 'loadCpu', 'othersCpu'],
  targets: [
    { relay: 'plain-again', against: 'plain', key: 'relayCpuUsPerRequest', atMost: 1.03 },
    { relay: 'audited', against: 'plain', key: 'relayCpuUsPerRequest', atMost: 1.15 },
  ],
  turnSeconds,
  measure: measureRequests,
};
