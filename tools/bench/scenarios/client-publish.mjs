/** Clients talk: a message goes from a client through Redis to the other members, and its sender gets an ack. */
import { measureTraffic } from '../load/measure-traffic.mjs';
import { roomNames } from '../load/requests.mjs';
import { TALK_MEASURES, TRAFFIC_QUICK, TRAFFIC_WARM_UP, trafficTurnSeconds } from './traffic.mjs';

/** @type {import('../comparison.mjs').Comparison} */
export const clientPublish = {
  name: 'client-publish',
  description: 'clients talk in 100 rooms, one talker and 10 listeners each, and get an ack; no history',
  stepTitle: 'msg/s',
  full: {
    relays: ['bare', 'hubbub', 'socket-io-uws', 'socket-io-ws'],
    rounds: 3,
    seconds: 3,
    patience: 10,
    rooms: 100,
    members: 10,
    rates: [500, 2000, 8000],
  },
  quick: TRAFFIC_QUICK,
  warmUp: { ...TRAFFIC_WARM_UP, rates: [500] },
  measures: TALK_MEASURES,
  peak: 'deliveriesPerSecond',
  targets: [],
  turnSeconds: trafficTurnSeconds,
  measure: ({ settings, ...turn }) =>
    measureTraffic({ ...turn, load: { ...settings, rooms: roomNames(settings.rooms), talkers: 1 } }),
};
