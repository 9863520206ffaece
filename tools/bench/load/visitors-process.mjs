/** A process that offers load at a rate that does not depend on the answers. It executes its parent's orders. */
import { setTimeout as sleep } from 'node:timers/promises';
import { obey } from '@hubbub/tools/kit';
import { memberToken } from '../relays/start.mjs';
import { Histogram } from './histogram.mjs';
import { createClock } from './measurement.mjs';
import { PersistentClient } from './persistent-client.mjs';

const TICK_MS = 5;
const LOOK_AGAIN_MS = 50;

/** @type {PersistentClient[]} */
const clients = [];
let order;
let turn = 0;
let addressTurn = 0;
const zero = () => ({ attempts: 0, entered: 0, refused: 0, tooLate: 0, failed: 0, thrownOut: 0, acks: 0, errors: 0 });
/** @type {import('./persistent-client.mjs').Visitors} */
const visitors = {
  nextPort: () => order.ports[turn++ % order.ports.length],
  nextAddress: () => order.addresses[addressTurn++ % order.addresses.length],
  now: undefined,
  latencies: new Histogram(),
  counts: zero(),
  leaving: false,
};

/** The units of the offered load. */
const LOADS = {
  join: add,
  reconnect() {
    for (let tries = 0; tries < clients.length; tries++) {
      const client = clients[turn++ % clients.length];
      if (client.isIn) return client.drop();
    }
  },
  publish(unansweredMax) {
    clients[turn++ % clients.length].publish(unansweredMax);
  },
};

function add() {
  const number = order.first + clients.length;
  const room = order.rooms[Math.floor(number / order.perRoom) % order.rooms.length];
  clients.push(new PersistentClient(visitors, { room, token: memberToken(`visitor-${number}`) }));
}

obey({
  /** @param {{ originUs: number, ports: number[], addresses: string[], rooms: string[], perRoom: number, first: number }} prepared */
  async prepare(prepared) {
    order = prepared;
    visitors.now = createClock(prepared.originUs).now;
  },

  /** Adds clients until there are so many, `atOnce` of them connecting. Resolves when they are in, or after `withinMs`. */
  async fill({ count, atOnce, withinMs }) {
    const endMs = performance.now() + withinMs;
    for (;;) {
      const isIn = clients.reduce((sum, client) => sum + client.isIn, 0);
      const missing = clients.length - isIn;
      if (isIn === count || performance.now() > endMs) return isIn;
      for (let n = missing; n < atOnce && clients.length < count; n++) add();
      await sleep(TICK_MS);
    }
  },

  /**
   * Offers the load, in equal steps.
   * @param {{ load: keyof typeof LOADS, perSecond: number, forMs: number, unansweredMax: number }} offer `unansweredMax`:
   *   publishes of one session
   */
  async offer({ load, perSecond, forMs, unansweredMax }) {
    const beganMs = performance.now();
    for (let offered = 0; ; ) {
      const passedMs = Math.min(performance.now() - beganMs, forMs);
      for (const due = Math.floor((passedMs * perSecond) / 1000); offered < due; offered++) LOADS[load](unansweredMax);
      if (passedMs >= forMs) return { offered };
      await sleep(TICK_MS);
    }
  },

  /** Counts since the last call. */
  async counts() {
    const { counts } = visitors;
    visitors.counts = zero();
    const latencies = [...visitors.latencies.counts];
    visitors.latencies.clear();
    return { counts, latencies, isIn: clients.reduce((sum, client) => sum + client.isIn, 0), clients: clients.length };
  },

  /** Resolves when all clients are in. Returns how many are not, after `withinMs`. */
  async settle({ withinMs }) {
    const endMs = performance.now() + withinMs;
    const outside = () => clients.reduce((sum, client) => sum + !client.isIn, 0);
    while (outside() > 0 && performance.now() < endMs) await sleep(LOOK_AGAIN_MS);
    return outside();
  },

  async close() {
    visitors.leaving = true;
    for (const client of clients) client.close();
  },
});
