/** The members of all rooms of a stage: they count the frames that arrive, and send messages and pings. */
import { RawSocket } from '@hubbub/tools/kit';
import { memberToken } from '../relays/start.mjs';
import { roomsOf, SETUPS } from './setups.mjs';

const ARRIVE_WITHIN_MS = 20_000;

export class Audience {
  /** By edge. @type {RawSocket[][]} */
  #sockets = [];
  #frames = 0;
  #frameBytes = 0;
  #due = Number.POSITIVE_INFINITY;
  #onDue = () => {};
  #sent = 0;

  /** @param {readonly number[]} ports of the edges; each gets as many sessions as the largest set-up needs there */
  static async open(ports) {
    const audience = new Audience();
    const most = Math.max(...SETUPS.map(({ members }) => members));
    const open = (port, edge) =>
      Promise.all(Array.from({ length: most }, (_, i) => audience.#connect(port, `member-${edge}-${i}`)));
    audience.#sockets = await Promise.all(ports.map(open));
    return audience;
  }

  /** Joins the rooms of all kinds. @param {readonly import('./setups.mjs').Kind[]} kinds */
  async join(kinds) {
    for (const kind of kinds) {
      const joins = roomsOf(kind).flatMap(({ name, edges }) =>
        edges.flatMap(edge => this.#sockets[edge].slice(0, kind.members).map(socket => ({ socket, name }))),
      );
      await this.receive(joins.length, () => {
        for (const { socket, name } of joins) socket.send(`{"type":"join_room","room":"${name}","id":"1"}`);
      });
    }
  }

  /** Resolves when `act` is done and `count` frames have arrived. @throws {Error} if others arrive, too */
  async receive(count, act) {
    this.#due = this.#frames + count;
    let timer;
    const arrived = new Promise((resolve, reject) => {
      this.#onDue = resolve;
      timer = setTimeout(() => {
        reject(new Error(`${this.#due - this.#frames} of ${count} frames did not arrive at the members.`));
      }, ARRIVE_WITHIN_MS);
    });
    try {
      await Promise.all([act(), arrived]);
    } finally {
      clearTimeout(timer);
    }
    if (this.#frames > this.#due) throw new Error(`${this.#frames - this.#due} frames more than expected arrived.`);
  }

  /** Lets a member of each room send. @param {readonly { name: string, edges: number[] }[]} rooms @param {'client' | 'ping'} what */
  send(rooms, what, body) {
    for (const { name, edges } of rooms) {
      const [socket] = this.#sockets[edges[0]];
      socket.send(what === 'ping' ? '{"type":"ping"}' : messageFrame(name, `m${this.#sent++}`, body.length));
    }
  }

  counts() {
    return { frames: this.#frames, frameBytes: this.#frameBytes };
  }

  async close() {
    for (const socket of this.#sockets.flat()) socket.destroy();
  }

  /** The first frame of a session is its `welcome`. */
  #connect(port, user) {
    return new Promise((resolve, reject) => {
      let isOpen = false;
      const socket = new RawSocket({
        port,
        headers: { Authorization: `Bearer ${memberToken(user)}` },
        onData: (_bytes, _start, length) => {
          if (!isOpen) {
            isOpen = true;
            return resolve(socket);
          }
          this.#frameBytes += length;
          if (++this.#frames >= this.#due) this.#onDue();
        },
        onEnd: why => reject(new Error(`A member lost its connection: ${why}`)),
      });
    });
  }
}

/** The edge adds the sender and the time: the message then has about `bytes`. */
function messageFrame(room, id, bytes) {
  const payload = { text: 'x'.repeat(Math.max(0, bytes - 150)) };
  return JSON.stringify({ type: 'send_message', room, id, message_id: id, payload });
}
