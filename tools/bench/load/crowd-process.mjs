/** A process full of clients that return after their edge has ended. It executes its parent's orders: connect, move, report. */
import { setTimeout as sleep } from 'node:timers/promises';
import { obey } from '@hubbub/tools/kit';
import { memberToken } from '../relays/start.mjs';
import { createClock } from './measurement.mjs';
import { MessagePlaces } from './messages.mjs';
import { ReturningClient } from './returning-client.mjs';
import { Tally } from './tally.mjs';

const LOOK_AGAIN_MS = 100;
const TROUBLES_MAX = 10;

/** @type {{ room: number, client: ReturningClient }[]} */
let clients = [];
let ports = [];
let addresses = [];
let next = 0;
/** @type {Map<string, number>} counts by text */
const troubles = new Map();
/** @type {import('./returning-client.mjs').Crowd} */
const crowd = {
  portOf: () => 0,
  nextAddress: () => addresses[next++ % addresses.length],
  places: new MessagePlaces(),
  counts: { open: 0, returns: 0, refused: 0, notRecovered: 0, heardBroadcast: 0 },
  leaving: false,
  trouble(what) {
    if (troubles.has(what) || troubles.size < TROUBLES_MAX) troubles.set(what, (troubles.get(what) ?? 0) + 1);
  },
};

obey({
  /** @param {{ originUs: number, dialect: 'bare' | 'hubbub', localAddresses: string[], first: number, count: number, rooms: string[], edgesPerRoom: number }} order */
  async prepare({ originUs, dialect, localAddresses, first, count, rooms, edgesPerRoom }) {
    const clock = createClock(originUs);
    const tally = new Tally(clock);
    tally.openWindow(0, Number.MAX_SAFE_INTEGER);
    Object.assign(crowd, { dialect, tally, leaving: false, now: clock.now });
    addresses = localAddresses;
    // At first each edge has a block of rooms: a process opens at one edge after another, so that few edges are busy together.
    // Clients that return are spread over all that are left.
    crowd.portOf = ({ room, member }, returns) => {
      const edge = returns ? room : Math.floor((room * ports.length) / rooms.length);
      return ports[(edge + (member % edgesPerRoom)) % ports.length];
    };
    clients = Array.from({ length: count }, (_, i) => {
      const room = (first + i) % rooms.length;
      const member = Math.floor((first + i) / rooms.length);
      const who = { name: rooms[room], place: { room, member }, token: memberToken(`user-${first + i}`) };
      return { room, client: new ReturningClient(crowd, who) };
    });
  },

  /** Sets the ports of the edges that accept connections. */
  async at(order) {
    ({ ports } = order);
  },

  /** @param {{ atOnce: number }} order handshakes in flight */
  async connect({ atOnce }) {
    await eachOf(atOnce, client => client.enter());
  },

  /** From now on the end of a connection is expected, and clients resume on order only. */
  async hold() {
    crowd.leaving = true;
  },

  /** Resolves when every connection has ended. */
  async gone() {
    while (clients.some(({ client }) => client.ended === undefined)) await sleep(LOOK_AGAIN_MS);
  },

  /** All clients resume; resolves when all are whole, or after `withinMs`. @param {{ atOnce: number, withinMs: number }} order */
  async resume({ atOnce, withinMs }) {
    const answers = [];
    const upgraded = eachOf(atOnce, client => {
      const resuming = client.resume();
      answers.push(resuming.whole);
      return resuming.upgraded;
    });
    const all = upgraded.then(() => Promise.all(answers));
    await Promise.race([all, sleep(withinMs, undefined, { ref: false })]);
    return {
      openUs: clients.flatMap(({ client }) => client.openUs ?? []),
      wholeUs: clients.flatMap(({ client }) => client.wholeUs ?? []),
      refused: crowd.counts.refused,
      replayed: clients.reduce((sum, { client }) => sum + client.replayed, 0),
    };
  },

  async progress() {
    return { ...crowd.counts, received: crowd.tally.received };
  },

  /** Returns the latencies since the last call, so that each phase of the run has its own. */
  async latencies() {
    const counts = [...crowd.tally.latencies.counts];
    crowd.tally.latencies.clear();
    return counts;
  },

  /** @param {{ published: number[], withinMs: number }} order messages of each room */
  async settle({ published, withinMs }) {
    const deadline = performance.now() + withinMs;
    const sum = read => clients.reduce((total, one) => total + read(one), 0);
    const missing = ({ room, client }) => Math.max(0, published[room] - client.sequence.expected);
    while (sum(missing) > 0 && performance.now() < deadline) await sleep(LOOK_AGAIN_MS);
    return {
      lost: sum(({ client }) => client.sequence.missed),
      late: sum(missing),
      repeated: sum(({ client }) => client.sequence.repeated),
      broadcastsTwice: sum(({ client }) => Math.max(0, client.broadcasts - 1)),
      troubles: [...troubles],
    };
  },

  async disconnect() {
    crowd.leaving = true;
    for (const { client } of clients) client.close();
    clients = [];
  },

  async close() {
    crowd.leaving = true;
  },
});

/** Does the task for all clients, `atOnce` at a time. */
async function eachOf(atOnce, task) {
  const waiting = clients.values();
  const next = async () => {
    for (const { client } of waiting) await task(client);
  };
  await Promise.all(Array.from({ length: atOnce }, next));
}
