/**
 * A narrator and two bystanders, one of each encoding. The narrator counts; the bystanders must receive every number once and
 * in order. They have their own process, so that the cost of sending inputs does not affect the latency.
 */

import { encodeFrame, encodeText, OPCODE, obey, signToken } from '@hubbub/tools/kit';
import { Decoder, Encoder } from '@msgpack/msgpack';
import { Histogram } from '../../bench/load/histogram.mjs';
import { BYSTANDER_ROOM, SECRET } from '../target/target.mjs';
import { openSession } from '../wire/connections.mjs';

const NARRATOR = 'narrator';
const JOIN_ID = 'join-to-watch';
const decoder = new Decoder();
const latency = new Histogram();
const troubles = [];
let sent = 0;
let acked = 0;
let garbage = 0;
let maxUs = 0;
let worstDelayMs = 0;
/** The process records longer waits, with the time of their end; `Infinity` until the baseline is known. */
let waitLimitMs = Number.POSITIVE_INFINITY;
const WAITS_KEPT = 5000;
let longWaits = [];

class Bystander {
  expected = 0;
  missed = 0;
  repeated = 0;
  constructor(number, encoding) {
    this.ready = new Promise(resolve => {
      this.session = open(
        `bystander-${number}`,
        encoding,
        (bytes, opcode) => this.#read(bytes, opcode, encoding),
        resolve,
      );
    });
  }

  #read(bytes, opcode, encoding) {
    let heard;
    try {
      heard = encoding === 'json' ? JSON.parse(bytes.utf8Slice()) : decoder.decode(bytes);
      if ((opcode === OPCODE.binary) !== (encoding === 'msgpack')) throw new Error('the other kind');
    } catch {
      garbage++; // The body of a tampered broadcast, forwarded without parsing (docs/redis-contract.md).
      return;
    }
    if (heard?.type !== 'new_message' || heard.room !== BYSTANDER_ROOM || heard.sender?.id !== NARRATOR) return;
    const { n, at } = heard.payload;
    const us = Math.round((performance.now() - at) * 1000);
    latency.record(us);
    maxUs = Math.max(maxUs, us);
    if (us > waitLimitMs * 1000 && longWaits.length < WAITS_KEPT)
      longWaits.push({ endedAtMs: performance.timeOrigin + performance.now(), waitMs: us / 1000 });
    if (n < this.expected) this.repeated++;
    else {
      this.missed += n - this.expected;
      this.expected = n + 1;
    }
  }
}

let port;
let bystanders = [];
let narrator;
let timer;
let nextAtMs = 0;

obey({
  /** Resolves when the bystanders and the narrator are in their room. @param {{ port: number }} order */
  async open(order) {
    ({ port } = order);
    bystanders = [new Bystander(0, 'json'), new Bystander(1, 'msgpack')];
    const narrating = new Promise(resolve => {
      narrator = open(NARRATOR, 'json', bytes => countAck(bytes), resolve);
    });
    await Promise.all([...bystanders.map(({ ready }) => ready), narrating]);
  },

  /** Starts the narrator. @param {{ perSecond: number }} order */
  speak({ perSecond }) {
    nextAtMs = performance.now();
    speak(1000 / perSecond);
  },

  hush() {
    clearTimeout(timer);
  },

  /** Records waits above the limit from now on. @param {{ waitLimitMs: number }} order */
  watchWaits(order) {
    ({ waitLimitMs } = order);
    longWaits = [];
  },

  figures() {
    const ms = us => (us === null ? null : us / 1000);
    return {
      sent,
      acked,
      heard: bystanders.map(({ expected, missed, repeated }) => ({ expected, missed, repeated })),
      garbage,
      p50Ms: ms(latency.percentile(0.5)),
      p99Ms: ms(latency.percentile(0.99)),
      maxMs: ms(maxUs),
      worstDelayMs,
      longWaits,
      troubles: troubles.slice(0, 20),
    };
  },

  close() {},
});

function open(user, encoding, onFrame, onReady) {
  let welcomed = false;
  const session = openSession({
    port,
    token: signToken({ user, secret: SECRET }),
    encoding,
    onEnd: why => troubles.push(`${user}: ${why}`),
    onFrame(bytes, opcode) {
      if (!welcomed) {
        welcomed = true;
        session.write(joinFrame(encoding));
      } else if (bytes.includes(JOIN_ID))
        onReady(); // The ack of the join, in either encoding.
      else onFrame(bytes, opcode);
    },
  });
  return session;
}

function joinFrame(encoding) {
  const join = { type: 'join_room', id: JOIN_ID, payload: { room_id: BYSTANDER_ROOM } };
  if (encoding === 'json') return encodeText(JSON.stringify(join));
  return encodeFrame(OPCODE.binary, new Encoder().encode(join));
}

function countAck(bytes) {
  const text = bytes.utf8Slice();
  if (text.includes('"type":"ack"')) acked++;
  else if (text.includes('"type":"error"')) troubles.push(`narrator: ${text.slice(0, 200)}`);
}

function speak(everyMs) {
  const now = performance.now();
  worstDelayMs = Math.max(worstDelayMs, now - nextAtMs);
  nextAtMs += everyMs;
  const payload = { n: sent, at: now };
  sent++;
  narrator.send(JSON.stringify({ type: 'send_message', room: BYSTANDER_ROOM, id: `n${payload.n}`, payload }));
  timer = setTimeout(speak, Math.max(0, nextAtMs - performance.now()), everyMs);
}
