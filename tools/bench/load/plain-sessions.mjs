/** Silent sessions in this process, each in a room, which reconnect on order. Ports and source addresses take turns. */
import { RawSocket } from '@hubbub/tools/kit';
import pLimit from 'p-limit';
import { memberToken } from '../relays/start.mjs';

const AT_ONCE = 64;
const PER_ROOM = 10;
const ADDRESSES = 16;

/** @param {number} count @param {{ joins?: boolean }} [options] `joins`: each session enters a room */
export function plainSessions(count, { joins = true } = {}) {
  const sockets = [];
  let turn = 0;
  const open = (number, ports) =>
    new Promise((resolve, reject) => {
      const socket = new RawSocket({
        port: ports[turn++ % ports.length],
        path: joins ? `/rooms/volume-${Math.floor(number / PER_ROOM)}/ws` : '/ws',
        headers: { Authorization: `Bearer ${memberToken(`silent-${number}`)}` },
        localAddress: `127.4.1.${1 + (turn % ADDRESSES)}`,
        // With a room in the path, `room_info` or an error follows: the welcome is enough here.
        onData: () => resolve(socket),
        onEnd: why => reject(new Error(`Session ${number} ended: ${why}`)), // No effect after the welcome.
      });
    });
  return {
    /** Opens those that are not open. @param {readonly number[]} ports */
    async open(ports) {
      await pLimit(AT_ONCE).map(Array(count).keys(), async number => {
        if (sockets[number] === undefined || sockets[number].ended !== undefined)
          sockets[number] = await open(number, ports);
      });
    },
    get ended() {
      return sockets.filter(({ ended }) => ended !== undefined).length;
    },
    /** Ends all without a close frame, as a network that fails. */
    async close() {
      for (const socket of sockets) socket?.destroy();
    },
  };
}
