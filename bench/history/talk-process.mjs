/** A process with rooms in which one client talks and the others listen. Its parent tells it over IPC what to do. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createClock } from '../load/clock.mjs';
import { Histogram } from '../load/histogram.mjs';
import { obey } from '../load/orders.mjs';
import { Tally } from '../load/tally.mjs';
import { numberAt, placeOfNumber, Sequence, say, timeAfter } from './chat.mjs';
import { RawSession } from './raw-session.mjs';

const CONNECTING_MAX = 64;
const TICK_MS = 1;
const LOOK_AGAIN_MS = 10;
const LOST = 'a connection ended: ';

let clock;
/** @type {Tally} */
let tally;
/** From writing the message until its ack was read. */
const acks = new Histogram();
let window = { fromUs: Number.POSITIVE_INFINITY, toUs: Number.POSITIVE_INFINITY };
/** @type {{ name: string, talker: RawSession, unacked: number[], said: number, listeners: { sequence: Sequence }[] }[]} */
const rooms = [];
const troubles = [];
let nextRoom = 0;
let hushed = false;
const sessions = [];

obey({
  /** @param {{ originUs: number, port: number, rooms: { name: string, headers: Record<string, string>[] }[] }} order the first talks */
  async connect({ originUs, port, rooms: wanted }) {
    clock = createClock(originUs);
    tally = new Tally(clock);
    const waiting = wanted
      .flatMap(({ name, headers }) => {
        const room = { name, talker: undefined, unacked: [], said: 0, listeners: [] };
        rooms.push(room);
        return headers.map((own, i) => ({ room, headers: own, talks: i === 0 }));
      })
      .values();
    const connectNext = async () => {
      for (const one of waiting) await enter({ port, ...one });
    };
    await Promise.all(Array.from({ length: CONNECTING_MAX }, connectNext));
  },

  async openWindow({ fromUs, toUs }) {
    window = { fromUs, toUs };
    tally.openWindow(fromUs, toUs);
    acks.clear();
  },

  /** One room after the other, on a timetable that nothing delays; resolves when everything is acknowledged. */
  async talk({ perSecond, forMs }) {
    hushed = false;
    const startUs = clock.now();
    const total = Math.round((perSecond * forMs) / 1000);
    let worstDelayUs = 0;
    for (let sent = 0; sent < total && !hushed; ) {
      const elapsedUs = clock.now() - startUs;
      const due = Math.min(total, Math.floor((elapsedUs * perSecond) / 1e6) + 1);
      if (due > sent) worstDelayUs = Math.max(worstDelayUs, elapsedUs - (sent * 1e6) / perSecond);
      for (; sent < due; sent++) talkOnce(rooms[nextRoom++ % rooms.length]);
      await sleep(TICK_MS);
    }
    while (rooms.some(({ unacked }) => unacked.length > 0) && troubles.length === 0) await sleep(LOOK_AGAIN_MS);
    return { worstDelayMs: worstDelayUs / 1000, said: Object.fromEntries(rooms.map(({ name, said }) => [name, said])) };
  },

  async hush() {
    hushed = true;
  },

  async settle({ withinMs }) {
    const deadline = performance.now() + withinMs;
    const late = () =>
      rooms.reduce(
        (all, { said, listeners }) => listeners.reduce((sum, { sequence }) => sum + said - sequence.expected, all),
        0,
      );
    while (late() > 0 && performance.now() < deadline) await sleep(LOOK_AGAIN_MS);
    const sequences = rooms.flatMap(({ listeners }) => listeners.map(({ sequence }) => sequence));
    return {
      received: tally.received,
      lost: sequences.reduce((sum, { missed }) => sum + missed, 0),
      repeated: sequences.reduce((sum, { repeated }) => sum + repeated, 0),
      late: late(),
      deliveredInWindow: tally.deliveredInWindow,
      latencies: [...tally.latencies.counts],
      acks: [...acks.counts],
      troubles,
    };
  },

  async close() {
    for (const session of sessions) session.close();
    setImmediate(() => process.disconnect());
  },
});

function talkOnce(room) {
  const nowUs = clock.now();
  room.unacked.push(nowUs);
  room.talker.send(say(room.name, room.said++, nowUs));
}

/** Resolves when the room has acknowledged the join. */
function enter({ port, room, headers, talks }) {
  return new Promise((resolve, reject) => {
    const sequence = new Sequence();
    const session = new RawSession({
      port,
      headers,
      onOpen: () => session.send({ type: 'join_room', id: 'join', payload: { room_id: room.name } }),
      onEnd: why => {
        troubles.push(LOST + why);
        reject(new Error(LOST + why));
      },
      onFrame: frame => {
        const place = placeOfNumber(frame);
        if (place < 0) return other(frame);
        sequence.take(numberAt(frame, place));
        tally.chunk();
        tally.message(timeAfter(frame, place));
      },
    });
    sessions.push(session);

    const other = frame => {
      const { type, id, payload } = JSON.parse(frame.toString());
      if (type === 'error') {
        troubles.push(`${payload.code}: ${payload.message}`);
        reject(new Error(payload.message));
      } else if (type === 'ack' && id === 'join') {
        if (talks) room.talker = session;
        else room.listeners.push({ sequence });
        resolve();
      } else if (type === 'ack') {
        const sentUs = room.unacked.shift(); // Frames of one session are carried out in order.
        if (sentUs >= window.fromUs && sentUs < window.toUs) acks.record(clock.now() - sentUs);
      } else if (type === 'room_gap') troubles.push(`room_gap: ${payload.reason}`);
    };
  });
}
