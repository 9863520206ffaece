/** A process full of clients of the cluster. It executes its parent's orders over IPC: connect, move, and report. */
import { setTimeout as sleep } from 'node:timers/promises';
import { obey } from '@hubbub/tools/kit';
import { createClock } from '../load/measurement.mjs';
import { MessagePlaces } from '../load/messages.mjs';
import { Tally } from '../load/tally.mjs';
import { memberToken } from '../relays/start.mjs';
import { ScaleClient } from './client.mjs';

const LOOK_AGAIN_MS = 100;
const TROUBLES_MAX = 10;

/** @type {{ room: number, client: ScaleClient }[]} */
let clients = [];
let ports = [];
let addresses = [];
let next = 0;
/** @type {Map<string, number>} counts by text */
const troubles = new Map();
/** @type {import('./client.mjs').Crowd} */
const crowd = {
  portOf: place => ports[place % ports.length],
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
    const tally = new Tally(createClock(originUs));
    tally.openWindow(0, Number.MAX_SAFE_INTEGER);
    Object.assign(crowd, { dialect, tally, leaving: false });
    addresses = localAddresses;
    clients = Array.from({ length: count }, (_, i) => {
      const room = (first + i) % rooms.length;
      const member = Math.floor((first + i) / rooms.length);
      const place = room + (member % edgesPerRoom);
      return {
        room,
        client: new ScaleClient(crowd, { room: rooms[room], place, token: memberToken(`user-${first + i}`) }),
      };
    });
  },

  /** Sets the ports of the edges that accept connections. */
  async at(order) {
    ({ ports } = order);
  },

  /** @param {{ atOnce: number }} order handshakes in flight */
  async connect({ atOnce }) {
    const waiting = clients.values();
    const enter = async () => {
      for (const { client } of waiting) await client.enter();
    };
    await Promise.all(Array.from({ length: atOnce }, enter));
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
