/** Many small rooms: each message has few receivers, so that the cost per message dominates the cost per member. */
import { measureTraffic } from '../load/measure-traffic.mjs';
import { roomNames } from '../load/requests.mjs';
import { TRAFFIC_MEASURES, TRAFFIC_QUICK, TRAFFIC_WARM_UP, trafficTurnSeconds } from './traffic.mjs';

/** @type {import('../comparison.mjs').Comparison} */
export const manyRooms = {
  name: 'many-rooms',
  description:
    '1,000 rooms of 10 members, a service publishes 200 bytes to each in turn, at rising rates until a relay is saturated',
  stepTitle: 'msg/s',
  full: {
    relays: ['bare', 'hubbub', 'socket-io-uws', 'socket-io-ws'],
    rounds: 3,
    seconds: 3,
    patience: 10,
    rooms: 1000,
    members: 10,
    rates: [1000, 5000, 20_000],
    frameBytes: 200,
  },
  quick: { ...TRAFFIC_QUICK, rooms: 100 },
  warmUp: { ...TRAFFIC_WARM_UP, rates: [1000] },
  measures: TRAFFIC_MEASURES,
  peak: 'deliveriesPerSecond',
  targets: [{ relay: 'hubbub', against: 'bare', key: 'deliveriesPerSecond', atLeast: 0.9, step: 'peak' }],
  turnSeconds: trafficTurnSeconds,
  measure: ({ settings, ...turn }) =>
    measureTraffic({ ...turn, load: { ...settings, rooms: roomNames(settings.rooms) } }),
};
