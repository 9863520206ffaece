/** Measures the cost of two encodings per message: every second member of one room uses MessagePack. */
import { measureTraffic } from '../load/measure-traffic.mjs';
import { TRAFFIC_MEASURES, TRAFFIC_QUICK, TRAFFIC_WARM_UP, trafficTurnSeconds } from './traffic.mjs';

/** @type {import('../comparison.mjs').Comparison} */
export const mixedEncodings = {
  name: 'mixed-encodings',
  description:
    'one room of 1,000 members, half of them on MessagePack: Hubbub beside itself and the bare relay with JSON alone',
  stepTitle: 'msg/s',
  full: {
    relays: ['bare', 'hubbub', 'hubbub-mixed'],
    rounds: 3,
    seconds: 3,
    patience: 10,
    members: 1000,
    rates: [100, 2000, 4000],
    frameBytes: 200,
  },
  quick: TRAFFIC_QUICK,
  warmUp: { ...TRAFFIC_WARM_UP, rates: [100] },
  measures: TRAFFIC_MEASURES,
  peak: 'deliveriesPerSecond',
  targets: [],
  turnSeconds: trafficTurnSeconds,
  measure: ({ settings, ...turn }) => measureTraffic({ ...turn, load: { ...settings, rooms: ['mixed-room'] } }),
};
