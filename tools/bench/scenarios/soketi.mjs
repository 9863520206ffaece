/**
 * Compares Hubbub with Soketi, another server for the Pusher protocol. Both have two nodes, the same clients, and the same
 * requests of a back end.
 */
import { roomNames } from '../load/crew.mjs';
import { measureGhosts } from '../load/measure-ghosts.mjs';
import { measureMemory } from '../load/measure-idle.mjs';
import { measureTraffic } from '../load/measure-traffic.mjs';
import { PUSHER } from '../relays/pusher.mjs';
import { TRAFFIC, TRAFFIC_QUICK } from './traffic.mjs';

const ALL = Object.keys(PUSHER);
/** Clients of Hubbub's own protocol have no presence channels. */
const SPEAK_PUSHER = ['soketi', 'hubbub'];
const TURN_SECONDS = 180;
const AGAINST = { relay: 'hubbub', against: 'soketi' };
const BESIDE_SOKETI = 'Soketi beside Hubbub, two nodes each on one core, with clients of the Pusher protocol';

const TRAFFIC_FULL = { relays: ALL, rounds: 3, seconds: 3, patience: 5, settle: 5, frameBytes: 200 };

/** @type {import('../comparison.mjs').Comparison} */
export const soketiOneChannel = {
  ...TRAFFIC,
  name: 'soketi-one-channel',
  description: `${BESIDE_SOKETI}: a back end publishes to one channel of 1,000 members, at rising rates until the nodes are saturated`,
  relays: PUSHER,
  full: { ...TRAFFIC_FULL, members: 1000, rates: [20, 100, 1000] },
  quick: { ...TRAFFIC_QUICK, members: 100, rates: [20], settle: 1 },
  targets: [
    { ...AGAINST, key: 'deliveriesPerSecond', atLeast: 1, step: 'peak' },
    { ...AGAINST, key: 'p99Ms', atMost: 1, step: 20 },
    { ...AGAINST, key: 'relayCpuUsPerDelivery', atMost: 1, step: 20 },
    { relay: 'hubbub', against: 'hubbub-own', key: 'deliveriesPerSecond', atLeast: 0.8, step: 'peak' },
  ],
  measure: ({ settings, ...turn }) => measureTraffic({ ...turn, load: { ...settings, rooms: ['one-channel'] } }),
};

/** @type {import('../comparison.mjs').Comparison} */
export const soketiManyChannels = {
  ...TRAFFIC,
  name: 'soketi-many-channels',
  description: `${BESIDE_SOKETI}: a back end publishes to 1,000 channels of 10 members in turn, at rising rates until the nodes are saturated`,
  relays: PUSHER,
  full: { ...TRAFFIC_FULL, rooms: 1000, members: 10, rates: [200, 1000, 5000] },
  quick: { ...TRAFFIC_QUICK, rooms: 50, rates: [200], settle: 1 },
  targets: [
    { ...AGAINST, key: 'deliveriesPerSecond', atLeast: 1, step: 'peak' },
    { ...AGAINST, key: 'p99Ms', atMost: 1, step: 200 },
    { ...AGAINST, key: 'relayCpuUsPerDelivery', atMost: 1, step: 200 },
    { relay: 'hubbub', against: 'hubbub-own', key: 'deliveriesPerSecond', atLeast: 0.8, step: 'peak' },
  ],
  measure: ({ settings, ...turn }) =>
    measureTraffic({ ...turn, load: { ...settings, rooms: roomNames(settings.rooms) } }),
};

/** @type {import('../comparison.mjs').Comparison} */
export const soketiMemory = {
  name: 'soketi-memory',
  description: `${BESIDE_SOKETI}: memory of an idle connection in a channel of 10, in all processes of the cluster`,
  stepTitle: 'connections',
  relays: PUSHER,
  full: { relays: ALL, rounds: 3, connections: 10_000, perRoom: 10, settle: 5 },
  quick: { rounds: 1, connections: 1000, settle: 1 },
  measures: ['emptyMiB', 'bytesPerConnection', 'bytesPerConnectionCollected'],
  targets: [{ ...AGAINST, key: 'bytesPerConnectionCollected', atMost: 1 }],
  turnSeconds: ({ settle }) => settle + TURN_SECONDS,
  measure: measureMemory,
};

/** @type {import('../comparison.mjs').Comparison} */
export const soketiGhosts = {
  name: 'soketi-ghosts',
  description: `${BESIDE_SOKETI}: members of a killed node in a presence channel with 40 members at each node`,
  stepTitle: 's after kill -9',
  relays: PUSHER,
  full: { relays: SPEAK_PUSHER, rounds: 2, members: 40, after: [1, 5, 15, 30, 60] },
  quick: { rounds: 1, members: 5, after: [1, 5] },
  measures: ['ghostsListed', 'ghostsSeen', 'answerMs'],
  targets: [],
  turnSeconds: ({ after }) => after.at(-1) + TURN_SECONDS,
  measure: measureGhosts,
};
