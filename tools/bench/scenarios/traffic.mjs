/** Scenarios that send messages at rising rates, until a relay is saturated. */
import { roomNames } from '../load/crew.mjs';
import { measureTraffic } from '../load/measure-traffic.mjs';

const RELAYS_COMPARED = ['bare', 'hubbub', 'socket-io-uws', 'socket-io-ws'];
const TRAFFIC_MEASURES = [
  'deliveriesPerSecond',
  'p50Ms',
  'p99Ms',
  'p999Ms',
  'relayCpu',
  'relayCpuUsPerDelivery',
  'loadCpu',
  'othersCpu',
];

/** For messages of clients, which get an ack. */
export const TALK_MEASURES = [
  'deliveriesPerSecond',
  'p50Ms',
  'p99Ms',
  'ackP50Ms',
  'ackP99Ms',
  'relayCpu',
  'relayCpuUsPerDelivery',
  'redisCpu',
  'loadCpu',
  'othersCpu',
];

/** A round before the first: loads all files, and shows that everything works. */
const TRAFFIC_WARM_UP = { seconds: 1, patience: 0 };
export const TRAFFIC_QUICK = { rounds: 1, seconds: 1, patience: 0 };

/** Starting, connecting and ending. */
const OVERHEAD_S = 60;
/** Per rate, beside its window and the wait for a quiet machine: settling, and late messages. */
const RATE_OVERHEAD_S = 30;

/** Seconds that a turn takes at most: each rate is repeated once at most. */
function trafficTurnSeconds({ rates, seconds, patience }) {
  return OVERHEAD_S + 2 * rates.length * (seconds + patience + RATE_OVERHEAD_S);
}

export const TRAFFIC = {
  stepTitle: 'msg/s',
  measures: TRAFFIC_MEASURES,
  peak: 'deliveriesPerSecond',
  turnSeconds: trafficTurnSeconds,
};
const TRAFFIC_FULL = { relays: RELAYS_COMPARED, rounds: 3, seconds: 3, patience: 10 };
const P99_AT_MOST = { relay: 'hubbub', against: 'bare', key: 'p99Ms', atMost: 1.2 };

/**
 * Measures the cost of fan-out: one room of many members, one publisher. At 100 msg/s no relay is saturated and latency counts.
 * At the highest rate throughput counts.
 * @type {import('../comparison.mjs').Comparison}
 */
export const bigRoom = {
  ...TRAFFIC,
  name: 'big-room',
  description: 'one room of 1,000 members, a service publishes 200 bytes, at rising rates until a relay is saturated',
  full: {
    ...TRAFFIC_FULL,
    members: 1000,
    rates: [100, 300, 4000],
    frameBytes: 200,
  },
  quick: TRAFFIC_QUICK,
  warmUp: { ...TRAFFIC_WARM_UP, rates: [100] },
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
  measure: ({ settings, ...turn }) => measureTraffic({ ...turn, load: { ...settings, rooms: ['big-room'] } }),
};

/**
 * Many small rooms: each message has few receivers, so that the cost per message dominates the cost per member.
 * @type {import('../comparison.mjs').Comparison}
 */
export const manyRooms = {
  ...TRAFFIC,
  name: 'many-rooms',
  description:
    '1,000 rooms of 10 members, a service publishes 200 bytes to each in turn, at rising rates until a relay is saturated',
  full: {
    ...TRAFFIC_FULL,
    rooms: 1000,
    members: 10,
    rates: [1000, 5000, 20_000],
    frameBytes: 200,
  },
  quick: { ...TRAFFIC_QUICK, rooms: 100 },
  warmUp: { ...TRAFFIC_WARM_UP, rates: [1000] },
  targets: [{ relay: 'hubbub', against: 'bare', key: 'deliveriesPerSecond', atLeast: 0.9, step: 'peak' }],
  measure: ({ settings, ...turn }) =>
    measureTraffic({ ...turn, load: { ...settings, rooms: roomNames(settings.rooms) } }),
};

/**
 * Measures the cost of two encodings per message: every second member of one room uses MessagePack.
 * @type {import('../comparison.mjs').Comparison}
 */
export const mixedEncodings = {
  ...TRAFFIC,
  name: 'mixed-encodings',
  description:
    'one room of 1,000 members, half of them on MessagePack: Hubbub beside itself and the bare relay with JSON alone',
  full: {
    ...TRAFFIC_FULL,
    relays: ['bare', 'hubbub', 'hubbub-mixed'],
    members: 1000,
    rates: [100, 2000, 4000],
    frameBytes: 200,
  },
  quick: TRAFFIC_QUICK,
  warmUp: { ...TRAFFIC_WARM_UP, rates: [100] },
  targets: [],
  measure: ({ settings, ...turn }) => measureTraffic({ ...turn, load: { ...settings, rooms: ['mixed-room'] } }),
};

/**
 * Clients talk: a message goes from a client through Redis to the other members, and its sender gets an ack.
 * @type {import('../comparison.mjs').Comparison}
 */
export const clientPublish = {
  ...TRAFFIC,
  name: 'client-publish',
  description: 'clients talk in 100 rooms, one talker and 10 listeners each, and get an ack; no history',
  full: {
    ...TRAFFIC_FULL,
    rooms: 100,
    members: 10,
    rates: [500, 2000, 8000],
  },
  quick: TRAFFIC_QUICK,
  warmUp: { ...TRAFFIC_WARM_UP, rates: [500] },
  measures: TALK_MEASURES,
  targets: [],
  measure: ({ settings, ...turn }) =>
    measureTraffic({ ...turn, load: { ...settings, rooms: roomNames(settings.rooms), talkers: 1 } }),
};
