/**
 * Measures the cost of fan-out: one room of many members, one publisher.
 * At 100 msg/s no relay is saturated and latency counts. At the highest rate throughput counts.
 */
import { measureTraffic } from '../load/measure-traffic.mjs';
import { TRAFFIC_MEASURES, TRAFFIC_QUICK, TRAFFIC_WARM_UP, trafficTurnSeconds } from './traffic.mjs';

const P99_AT_MOST = { relay: 'hubbub', against: 'bare', key: 'p99Ms', atMost: 1.2 };

/** @type {import('../comparison.mjs').Comparison} */
export const bigRoom = {
  name: 'big-room',
  description: 'one room of 1,000 members, a service publishes 200 bytes, at rising rates until a relay is saturated',
  stepTitle: 'msg/s',
  full: {
    relays: ['bare', 'hubbub', 'socket-io-uws', 'socket-io-ws'],
    rounds: 3,
    seconds: 3,
    patience: 10,
    members: 1000,
    rates: [100, 300, 4000],
    frameBytes: 200,
  },
  quick: TRAFFIC_QUICK,
  warmUp: { ...TRAFFIC_WARM_UP, rates: [100] },
  measures: TRAFFIC_MEASURES,
  peak: 'deliveriesPerSecond',
  targets: [
    { relay: 'hubbub', against: 'bare', key: 'deliveriesPerSecond', atLeast: 0.95, step: 100 },
    { ...P99_AT_MOST, step: 100 },
    { relay: 'hubbub', against: 'bare', key: 'deliveriesPerSecond', atLeast: 0.95, step: 'peak' },
    { ...P99_AT_MOST, step: 4000 },
    { relay: 'hubbub', against: 'socket-io-ws', key: 'deliveriesPerSecond', atLeast: 25, step: 'peak' },
    { relay: 'hubbub', against: 'socket-io-ws', key: 'p99Ms', atMost: 1, step: 100 },
    { relay: 'hubbub', against: 'socket-io-uws', key: 'deliveriesPerSecond', atLeast: 1.1, step: 'peak' },
    { relay: 'hubbub', against: 'socket-io-uws', key: 'p99Ms', atMost: 1, step: 100 },
    { relay: 'hubbub', against: 'socket-io-uws', key: 'p99Ms', atMost: 1, step: 4000 },
  ],
  turnSeconds: trafficTurnSeconds,
  measure: ({ settings, ...turn }) => measureTraffic({ ...turn, load: { ...settings, rooms: ['big-room'] } }),
};
