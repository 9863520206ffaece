/** One large room: readers of server-sent events beside members with WebSockets, on an edge with Redis and on one without. */
import { measureMemory } from '../load/measure-idle.mjs';
import { measureTraffic } from '../load/measure-traffic.mjs';
import { RELAYS } from '../relays/catalogue.mjs';
import { startEdge } from '../relays/start.mjs';
import { TRAFFIC, TRAFFIC_QUICK } from './traffic.mjs';

const ROOM = 'large';
const MEMORY_SECONDS = 180;

/** The joins of a busy machine are not what is measured. */
const ADMITS_ALL = { HUBBUB_SHED_OVERLOAD: 'false' };
const startWith = command => start => startEdge({ ...start, command, env: { ...start.env, ...ADMITS_ALL } });
const withRedis = { ...RELAYS.hubbub, start: startWith('edge') };
const alone = { ...RELAYS.hubbub, start: startWith('start'), isAlone: true };

/** @type {Record<string, import('../relays/catalogue.mjs').Relay & { isAlone?: true }>} `isAlone`: presence is in its process */
const TRANSPORTS = {
  websocket: { ...withRedis, title: 'WebSockets, the topics of the engine' },
  events: { ...withRedis, dialect: 'hubbub-sse', title: 'server-sent events' },
  'websocket-alone': { ...alone, title: 'WebSockets, without Redis' },
  'events-alone': { ...alone, dialect: 'hubbub-sse', title: 'server-sent events, without Redis' },
};

/** @type {import('../comparison.mjs').Comparison} */
export const eventStreams = {
  ...TRAFFIC,
  name: 'event-streams',
  description:
    'one room of 10,000, in which a client talks: readers of server-sent events beside WebSockets, on an edge with Redis and on one without',
  relays: TRANSPORTS,
  full: {
    relays: Object.keys(TRANSPORTS),
    rounds: 3,
    seconds: 5,
    patience: 5,
    members: 10_000,
    rates: [2, 4],
    settle: 5,
  },
  quick: { ...TRAFFIC_QUICK, members: 500, settle: 1 },
  measures: [
    'bytesPerConnection',
    'bytesPerConnectionCollected',
    'deliveriesPerSecond',
    'p50Ms',
    'p99Ms',
    'relayCpu',
    'relayCpuUsPerDelivery',
    'loadCpu',
    'othersCpu',
  ],
  targets: [
    { relay: 'events', against: 'websocket', key: 'relayCpuUsPerDelivery', atMost: 1.5 },
    { relay: 'events-alone', against: 'events', key: 'relayCpuUsPerDelivery', atMost: 1.2 },
    { relay: 'events', key: 'bytesPerConnectionCollected', atMost: 8192 },
  ],
  turnSeconds: settings => MEMORY_SECONDS + TRAFFIC.turnSeconds(settings),
  async measure(turn) {
    const { members, settle } = turn.settings;
    const idle = { connections: members, perRoom: members, settle };
    const [memory] = turn.relay.isAlone ? [] : await measureMemory({ ...turn, settings: idle });
    const rows = await measureTraffic({ ...turn, load: { ...turn.settings, rooms: [ROOM], talkers: 1 } });
    return rows.map(row => ({ ...memory, ...row }));
  },
};
