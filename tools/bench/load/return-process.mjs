/** A process full of clients that lose their edge and resume at another one. It executes its parent's orders over IPC. */
import { setTimeout as sleep } from 'node:timers/promises';
import { obey, RawSocket } from '@hubbub/tools/kit';
import { createClock } from './measurement.mjs';
import { MessagePlaces } from './messages.mjs';
import { Sequence } from './tally.mjs';

/** Handshakes of this process in flight. Waiting clients are not in the edge's queue, but their time counts from the start. */
const CONNECTING_MAX = 250;
const LOOK_AGAIN_MS = 10;
/** Retryable, as PROTOCOL.md section 3 has it. */
const RETRY_AFTER_MS = 250;

let clock;
const places = new MessagePlaces();
let stage = 'connecting';
const troubles = [];
/** @type {Client[]} */
let clients = [];

class Client {
  /** Numbers from 0, and rooms begin with offset 1: the next number is the offset of the message before it. */
  sequence = new Sequence();
  epoch;
  openUs;
  wholeUs;
  replayed = 0;
  /** Answers `UNAVAILABLE` to its resume. */
  refused = 0;
  session;
  #room;
  #headers;

  constructor({ room, headers }) {
    this.#room = room;
    this.#headers = headers;
  }

  get room() {
    return this.#room;
  }

  /** Resolves when the join is acknowledged. */
  join(port) {
    return this.#enter(port, { type: 'join_room', id: 'in', payload: { room_id: this.#room } }, ({ epoch, offset }) => {
      this.epoch = epoch;
      if (offset !== 0) troubles.push(`the room was not empty: ${offset}`);
    }).whole;
  }

  /** `open` resolves when the upgrade is answered, `whole` when the resume is, with everything before it. */
  resume(port) {
    const had = this.sequence.expected;
    this.openUs = undefined;
    const place = { room_id: this.#room, epoch: this.epoch, offset: had };
    return this.#enter(port, { type: 'resume', id: 'in', payload: { rooms: [place] } }, ({ rooms: [answer] }) => {
      if (answer.error?.code === 'UNAVAILABLE') {
        this.refused++;
        return 'again';
      }
      this.wholeUs = clock.now();
      this.replayed = this.sequence.expected - had;
      if (answer.recovered !== true) troubles.push(`not recovered: ${answer.reason ?? JSON.stringify(answer.error)}`);
      else if (answer.offset !== this.sequence.expected)
        troubles.push(`the answer names the offset ${answer.offset}, the last message was ${this.sequence.expected}`);
    });
  }

  #enter(port, question, onAnswer) {
    const waits = {};
    const open = new Promise((resolve, reject) => Object.assign(waits, { open: resolve, noOpen: reject }));
    const whole = new Promise((resolve, reject) => Object.assign(waits, { whole: resolve, notWhole: reject }));
    const session = new RawSocket({
      port,
      path: '/ws',
      headers: this.#headers,
      onOpen: () => {
        this.openUs = clock.now();
        session.send(JSON.stringify(question));
        waits.open();
      },
      onEnd: why => {
        if (stage !== 'leaving') troubles.push(`${stage}: ${why}`);
        waits.noOpen(new Error(why));
        waits.notWhole(new Error(why));
      },
      onData: (bytes, start, length) => {
        if (places.find(bytes, start, length)) return this.sequence.take(places.number);
        const { type, id, payload } = JSON.parse(bytes.toString('utf8', start, start + length));
        if (type === 'error' || type === 'room_gap') troubles.push(`${type}: ${payload.code ?? payload.reason}`);
        if (id !== 'in') return;
        if (type === 'ack' && onAnswer(payload) === 'again')
          setTimeout(() => session.send(JSON.stringify(question)), RETRY_AFTER_MS);
        else waits.whole();
      },
    });
    this.session = session;
    open.catch(() => {}); // `whole` rejects with the same error.
    whole.catch(() => {}); // `onEnd` added it to the troubles.
    return { open, whole };
  }
}

obey({
  /** @param {{ originUs: number, port: number, clients: { room: string, headers: Record<string, string> }[] }} order */
  async connect({ originUs, port, clients: wanted }) {
    clock = createClock(originUs);
    clients = wanted.map(client => new Client(client));
    await eachAtOnce(client => client.join(port));
  },

  /** From now on the end of a connection is expected. */
  async leave() {
    stage = 'leaving';
  },

  /** Resolves when every connection to the old edge has ended. */
  async gone() {
    while (clients.some(({ session }) => session.ended === undefined)) await sleep(LOOK_AGAIN_MS);
  },

  /** All clients resume simultaneously; resolves when all are whole, or after `withinMs`. */
  async resume({ port, withinMs }) {
    stage = 'returning';
    const answers = [];
    const allOpen = eachAtOnce(client => {
      const { open, whole } = client.resume(port);
      answers.push(whole);
      return open;
    });
    const all = allOpen.then(() => Promise.all(answers)).catch(() => {}); // The report lacks these clients.
    await Promise.race([all, sleep(withinMs, undefined, { ref: false })]);
    return {
      openUs: clients.flatMap(({ openUs }) => openUs ?? []),
      wholeUs: clients.flatMap(({ wholeUs }) => wholeUs ?? []),
      refused: clients.reduce((sum, { refused }) => sum + refused, 0),
      replayed: clients.reduce((sum, { replayed }) => sum + replayed, 0),
    };
  },

  /** @param {{ published: Record<string, number>, withinMs: number }} order messages by room */
  async settle({ published, withinMs }) {
    const deadline = performance.now() + withinMs;
    const sum = read => clients.reduce((total, client) => total + read(client), 0);
    const late = () => sum(({ room, sequence }) => published[room] - sequence.expected);
    while (late() > 0 && performance.now() < deadline) await sleep(LOOK_AGAIN_MS);
    return {
      lost: sum(({ sequence }) => sequence.missed),
      repeated: sum(({ sequence }) => sequence.repeated),
      late: late(),
      troubles: troubles.slice(0, 20),
    };
  },

  async close() {
    stage = 'leaving';
    for (const { session } of clients) session?.destroy();
  },
});

async function eachAtOnce(task) {
  const waiting = clients.values();
  const next = async () => {
    for (const client of waiting) await task(client);
  };
  await Promise.all(Array.from({ length: CONNECTING_MAX }, next));
}
