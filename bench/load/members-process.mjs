/** A process full of members. Its parent tells it over IPC when to connect, what to measure, and when to report. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createClock } from './clock.mjs';
import { Member } from './member.mjs';
import { obey } from './orders.mjs';
import { Tally } from './tally.mjs';

/** Connections that may be shaking hands at once. */
const CONNECTING_MAX = 64;
const LOOK_AGAIN_MS = 10;

/** @type {Member[]} */
const members = [];
/** @type {Tally} */
let tally;
/** What was reported last: each report tells what is new. */
let reported = { received: 0, lost: 0, repeated: 0, otherFrames: 0 };

const commands = {
  /** @param {{ originUs: number, port: number, requests: { path: string, headers: Record<string, string> }[],
   *   awaitsWelcome: boolean, layout: object }} order */
  async connect({ originUs, requests, ...options }) {
    tally = new Tally(createClock(originUs));
    const waiting = requests.values();
    const connectNext = async () => {
      for (const request of waiting) await connectMember({ ...options, ...request });
    };
    await Promise.all(Array.from({ length: CONNECTING_MAX }, connectNext));
  },

  async openWindow({ fromUs, toUs }) {
    tally.openWindow(fromUs, toUs);
  },

  /** Waits until all members have all `published` messages, at most `withinMs`, and reports. */
  async settle({ published, withinMs }) {
    const deadline = performance.now() + withinMs;
    const waits = () => members.some(member => member.ended === undefined && member.expected < published);
    while (waits() && performance.now() < deadline) await sleep(LOOK_AGAIN_MS);
    const unknown = members.find(member => member.otherFrame !== '');
    if (tally.received === 0 && unknown !== undefined) {
      throw new Error(`None of the frames that came is a message as this benchmark knows it: ${unknown.otherFrame}`);
    }
    const sum = read => members.reduce((total, member) => total + read(member), 0);
    const now = {
      received: tally.received,
      lost: sum(member => member.missed + (member.ended === undefined ? 0 : published - member.expected)),
      repeated: sum(member => member.repeated),
      otherFrames: sum(member => member.others),
    };
    const news = Object.fromEntries(Object.entries(now).map(([name, count]) => [name, count - reported[name]]));
    reported = now;
    return {
      ...news,
      late: sum(member => (member.ended === undefined ? published - member.expected : 0)),
      deliveredInWindow: tally.deliveredInWindow,
      latencies: [...tally.latencies.counts],
      ended: members.flatMap(member => member.ended ?? []),
    };
  },

  async close() {
    for (const member of members) member.close();
    setImmediate(() => process.disconnect());
  },
};

function connectMember(options) {
  return new Promise((resolve, reject) => {
    members.push(
      new Member({
        ...options,
        tally,
        onReady: resolve,
        onEnd: why => reject(new Error(`A member lost its connection: ${why}`)),
      }),
    );
  });
}

obey(commands);
