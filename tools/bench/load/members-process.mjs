/** A process full of members. It executes its parent's orders over IPC: connect, measure, talk and report. */
import { setTimeout as sleep } from 'node:timers/promises';
import { obey } from '@hubbub/tools/kit';
import { createClock } from './measurement.mjs';
import { Member } from './member.mjs';
import { MessagePlaces } from './messages.mjs';
import { Tally } from './tally.mjs';

const TICK_MS = 1;
const LOOK_AGAIN_MS = 10;
const TROUBLES_MAX = 20;

/** @type {Member[]} */
const members = [];
let clock;
/** @type {Tally} */
let tally;
const places = new MessagePlaces();
const troubles = [];
let hushed = false;
let nextTalker = 0;
/** Totals of the last report: each report contains the difference. */
let reported = { received: 0, lost: 0, repeated: 0, otherFrames: 0 };

const listeners = () => members.filter(member => !member.talks);
const talkers = () => members.filter(member => member.talks);

obey({
  /** @param {{ originUs: number, dialect: string, requests: import('./member.mjs').MemberRequest[] }} order */
  async prepare({ originUs, dialect, requests }) {
    clock = createClock(originUs);
    tally = new Tally(clock);
    const onTrouble = what => troubles.length < TROUBLES_MAX && troubles.push(what);
    for (const request of requests) members.push(new Member({ ...request, dialect, clock, tally, places, onTrouble }));
  },

  /**
   * Joins or rejoins all rooms; resolves with the time of each join.
   * @param {{ ports: readonly number[], atOnce: number }} order `ports`: members take turns; `atOnce`: handshakes in flight
   */
  async connect({ ports, atOnce }) {
    const waiting = members.entries();
    const next = async () => {
      for (const [index, member] of waiting) await member.enter(ports[index % ports.length]);
    };
    await Promise.all(Array.from({ length: atOnce }, next));
    return members.map(({ readyUs }) => readyUs);
  },

  /** Resolves when every connection has ended by itself. */
  async gone() {
    while (members.some(({ ended }) => ended === undefined)) await sleep(LOOK_AGAIN_MS);
  },

  /** Returns the reason of each connection that ended. */
  async ended() {
    return members.flatMap(({ ended }) => ended ?? []);
  },

  async openWindow({ fromUs, toUs }) {
    tally.openWindow(fromUs, toUs);
  },

  /**
   * Talkers send in turn, on a fixed timetable; resolves when all messages are acknowledged.
   * @param {{ perSecond: number, forMs: number, talkersOf?: { from: number, to: number } }} order `talkersOf`: rooms by number
   */
  async talk({ perSecond, forMs, talkersOf = { from: 0, to: Number.POSITIVE_INFINITY } }) {
    hushed = false;
    const crowd = talkers().filter(({ room }) => room >= talkersOf.from && room < talkersOf.to);
    const startUs = clock.now();
    const total = crowd.length === 0 ? 0 : Math.round((perSecond * forMs) / 1000);
    let worstDelayUs = 0;
    for (let sent = 0; sent < total && !hushed; ) {
      const elapsedUs = clock.now() - startUs;
      const due = Math.min(total, Math.floor((elapsedUs * perSecond) / 1e6) + 1);
      if (due > sent) worstDelayUs = Math.max(worstDelayUs, elapsedUs - (sent * 1e6) / perSecond);
      for (; sent < due; sent++) crowd[nextTalker++ % crowd.length].say();
      await sleep(TICK_MS);
    }
    const waits = () => crowd.some(({ unacked, ended }) => unacked.length > 0 && ended === undefined);
    while (waits() && troubles.length === 0) await sleep(LOOK_AGAIN_MS);
    return { worstDelayMs: worstDelayUs / 1000, published: talkers().map(({ room, sent }) => [room, sent]) };
  },

  async hush() {
    hushed = true;
  },

  /**
   * Waits until all members have all messages of their rooms, at most `withinMs`, and reports.
   * @param {{ published: [room: number, messages: number][], withinMs: number }} order
   */
  async settle({ published, withinMs }) {
    const deadline = performance.now() + withinMs;
    const due = new Map(published);
    const missing = ({ room, sequence }) => (due.get(room) ?? 0) - sequence.expected;
    const crowd = listeners();
    const waits = () => crowd.some(member => member.ended === undefined && missing(member) > 0);
    while (waits() && performance.now() < deadline) await sleep(LOOK_AGAIN_MS);
    const unknown = crowd.find(member => member.otherFrame !== '');
    if (tally.received === 0 && crowd.length > 0 && unknown !== undefined) {
      throw new Error(`No received frame is a message in the benchmark's form. The last one: ${unknown.otherFrame}`);
    }
    const sum = read => crowd.reduce((total, member) => total + read(member), 0);
    const now = {
      received: tally.received,
      lost: sum(member => member.sequence.missed + (member.ended === undefined ? 0 : missing(member))),
      repeated: sum(member => member.sequence.repeated),
      otherFrames: sum(member => member.others),
    };
    const news = Object.fromEntries(Object.entries(now).map(([name, count]) => [name, count - reported[name]]));
    reported = now;
    return {
      ...news,
      late: sum(member => (member.ended === undefined ? missing(member) : 0)),
      deliveredInWindow: tally.deliveredInWindow,
      latencies: [...tally.latencies.counts],
      acks: [...tally.acks.counts],
      ended: members.flatMap(member => member.ended ?? []),
      troubles: troubles.splice(0),
    };
  },

  async close() {
    for (const member of members) member.close();
  },
});
