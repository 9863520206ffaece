/** The relays that are compared: how each is started, joined and published to. */
import { fileURLToPath } from 'node:url';
import { startHubbub } from './start-hubbub.mjs';
import { startPlain } from './start-plain.mjs';

/**
 * @typedef {object} RunningRelay
 * @property {number} port @property {readonly number[]} pids
 * @property {readonly number[]} helpers processes beside the relay that the others do not need
 * @property {(member: number, subprotocol?: string) => Record<string, string>} headers of a member's upgrade request
 * @property {() => string[]} troubles events that it has complained of since the last look
 * @property {() => void} collect its garbage, where it was started with COLLECTABLE
 * @property {() => void} kill @property {() => Promise<void>} close
 */

/**
 * @typedef {object} RelayStart
 * @property {string} redisUrl @property {string | undefined} cpus
 * @property {readonly string[]} nodeArgs such as those that write a profile
 * @property {boolean} [presence] whether Hubbub's presence runs beside it @property {string} [helperCpus] where
 */

/**
 * @typedef {object} Relay
 * @property {string} title for people
 * @property {import('../load/message.mjs').Form} form of what services publish to it
 * @property {string} dialect of load/dialects.mjs
 * @property {(member: number) => string | undefined} [subprotocol] that a member asks for
 * @property {boolean} [peer] made by others: what it loses is told, and fails no run
 * @property {(room: string) => string} channel
 * @property {(start: RelayStart) => Promise<RunningRelay>} start
 */

const hubbub = {
  dialect: 'hubbub',
  channel: room => `hubbub:room:{${room}}`,
  start: startHubbub,
};

const socketIo = {
  dialect: 'socket-io',
  form: 'socket-io',
  peer: true,
  channel: room => `socket.io#/#${room}#`,
};

/** @type {Record<string, Relay>} the first one is what the others are measured against */
export const RELAYS = {
  bare: {
    title: 'bare uWebSockets.js + ioredis',
    form: 'frame',
    dialect: 'bare',
    channel: room => `bare:${room}`,
    start: startPlain('bare.mjs'),
  },
  hubbub: { ...hubbub, title: 'Hubbub, envelopes', form: 'envelope' },
  'hubbub-json': { ...hubbub, title: 'Hubbub, plain JSON of a service', form: 'service-json' },
  'hubbub-mixed': {
    ...hubbub,
    title: 'Hubbub, envelopes, every second member on MessagePack',
    form: 'envelope',
    subprotocol: member => (member % 2 === 0 ? 'hubbub.v1.json' : 'hubbub.v1.msgpack'),
  },
  'socket-io-uws': {
    ...socketIo,
    title: 'Socket.IO 4.8.3 + Redis adapter 8.3.0 on uWebSockets.js',
    start: startPlain('socket-io-uws.mjs'),
  },
  'socket-io-ws': {
    ...socketIo,
    title: 'Socket.IO 4.8.3 + Redis adapter 8.3.0 on ws',
    start: startPlain('socket-io-ws.mjs'),
  },
};

/** Where a profile of a relay goes. */
export const PROFILES_DIR = fileURLToPath(new URL('../profiles/', import.meta.url));

/** Arguments of Node for a relay whose garbage is collected when it is told to. */
export const COLLECTABLE = ['--expose-gc', `--import=${new URL('collect-on-signal.mjs', import.meta.url)}`];
