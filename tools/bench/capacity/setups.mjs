/** The set-ups whose processor time the capacity benchmark measures: some give the constants, others check the model. */

/** Messages that a room with a history keeps, as in the other benchmarks. */
export const HISTORY_SIZE = 100;
export const HISTORY_TTL_MS = 300_000;
export const EDGES = 8;
/** Servers of Redis in each topology. */
export const SERVERS = { one: 1, shards: 2, cluster: 3 };
/** Sessions of the widest kind of room on each of its edges. */
const MANY = 20;

/**
 * @typedef {object} Kind of rooms
 * @property {number} width edges that have a member of the room @property {number} members of the room on each of them
 * @property {number} within edges among which the rooms are spread; the others have no members @property {boolean} history
 */

/**
 * @typedef {Kind & object} Setup
 * @property {string} name @property {'one' | 'shards' | 'cluster'} topology
 * @property {'fit' | 'check'} use of the measurement: for the constants, or for the comparison with the model
 * @property {'service' | 'client' | 'ping'} sender: this process as a service, members, or members that only ping
 * @property {boolean} held whether Redis is stopped until all clients have sent: it then handles their messages in one turn, as if it were busy
 * @property {number} turns @property {number} messages of a turn for each server of Redis @property {number} bytes of a message
 */

const BASE = {
  topology: 'one',
  width: 1,
  within: EDGES,
  members: 1,
  history: false,
  by: 'service',
  held: false,
  bytes: 200,
  messages: 8,
  turns: 200,
};
const fit = setup => ({ ...BASE, ...setup, use: 'fit' });
const check = setup => ({ ...BASE, ...setup, use: 'check' });

const FITS = [
  fit({ name: 'one message a turn, 1 edge', messages: 1, turns: 500 }),
  fit({ name: 'one message a turn, 8 edges', messages: 1, width: 8, turns: 300 }),
  fit({ name: '32 messages a turn, 1 edge', messages: 32 }),
  fit({ name: '32 messages a turn, 8 edges', messages: 32, width: 8, turns: 100 }),
  fit({ name: '2,000 bytes, 8 edges', messages: 4, width: 8, bytes: 2000 }),
  fit({ name: 'rooms on 2 of 8 edges', width: 2 }),
  fit({ name: 'history, rooms on 4 of 8 edges', history: true, width: 4 }),
  fit({ name: 'history, 1 edge', messages: 16, history: true }),
  fit({ name: `${MANY} members on 1 edge`, members: MANY, turns: 100 }),
  fit({ name: 'clients send', by: 'client', messages: 4, turns: 300 }),
  fit({ name: 'clients send, 8 at once', by: 'client', messages: 24, turns: 100 }),
  fit({ name: 'clients send to a busy Redis', by: 'client', held: true, messages: 24, turns: 40 }),
  fit({ name: 'clients ping', by: 'ping', messages: 48, turns: 200 }),
];

/** For the figure: eight edges, of which some have members, and the same messages for each server of all topologies. */
export const FIGURE = ['one', 'shards', 'cluster'].flatMap(topology =>
  [1, 2, 4, 8].map(width => check({ name: `members on ${width} of 8 edges`, topology, width, within: width })),
);

const CHECKS = [
  ...FIGURE,
  check({ name: 'rooms on 4 of 8 edges', width: 4, topology: 'shards' }),
  check({ name: 'history, rooms on 2 of 8 edges', history: true, width: 2, topology: 'cluster' }),
  check({ name: 'rooms on 2 of 8 edges, 5 members on each', members: 5, width: 2 }),
  check({ name: '1,000 bytes, rooms on 4 of 8 edges', bytes: 1000, width: 4 }),
  check({ name: 'clients send, rooms on 2 of 8 edges', by: 'client', width: 2 }),
  check({ name: 'clients send to a busy Redis, rooms on 4 of 8 edges', by: 'client', held: true, width: 4, turns: 60 }),
];

export const SETUPS = [...FITS, ...CHECKS];

/** @param {string} topology @returns {readonly Kind[]} each kind of room that a set-up of the topology needs, once */
export function kindsOf(topology) {
  const kinds = SETUPS.filter(setup => setup.topology === topology).map(({ width, within, members, history }) => ({
    width,
    within,
    members,
    history,
  }));
  return [...new Map(kinds.map(kind => [prefixOf(kind), kind])).values()];
}

/** Of the names of a kind's rooms; its namespace decides about the history. @param {Kind} kind */
export function prefixOf({ width, within, members, history }) {
  return `${history ? 'kept' : 'plain'}:${width}-${within}-${members}-`;
}

/** More than the messages of a turn for each server, so that a turn repeats no room. */
const ROOMS = 64;

/** @param {Kind} kind @returns {{ name: string, edges: number[] }[]} rooms that give each of these edges the same share */
export function roomsOf(kind) {
  return Array.from({ length: ROOMS }, (_, room) => ({
    name: `${prefixOf(kind)}${room}`,
    edges: Array.from({ length: kind.width }, (_, i) => (room + i) % kind.within),
  }));
}
