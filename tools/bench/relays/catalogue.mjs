/** The compared relays: how to start, join and publish to each. */
import { startEdge, startFile } from './start.mjs';

/**
 * @typedef {object} RunningRelay
 * @property {number} port @property {readonly number[]} [ports] of several nodes, which members take in turn
 * @property {readonly number[]} pids @property {import('../load/pusher-publisher.mjs').PusherApi} [api] for the form `pusher`
 * @property {readonly number[]} helpers additional processes that only this relay needs
 * @property {(member: number, subprotocol?: string) => Record<string, string>} headers of a member's upgrade request
 * @property {() => string[]} troubles returns the events of its warnings and errors since the last call
 * @property {() => void} collect collects its garbage, if started with COLLECTABLE
 * @property {() => void} kill @property {() => Promise<void>} close
 */

/**
 * @typedef {object} RelayStart
 * @property {string} redisUrl @property {string | undefined} cpus
 * @property {readonly string[]} nodeArgs such as those that write a profile
 * @property {boolean} [presence] whether Hubbub's presence runs beside it @property {string} [helperCpus] where
 * @property {NodeJS.ProcessEnv} [env] settings that differ from the defaults
 */

/**
 * @typedef {object} Relay
 * @property {string} title for people
 * @property {import('../load/messages.mjs').Form} form of messages that services publish to it
 * @property {string} dialect of load/dialects.mjs
 * @property {(member: number) => string | undefined} [subprotocol] that a member requests
 * @property {boolean} [peer] made by others: its losses are reported, but do not fail the run
 * @property {(room: string) => string} channel
 * @property {(start: RelayStart) => Promise<RunningRelay>} start
 */

const hubbub = {
  dialect: 'hubbub',
  channel: room => `hubbub:room:{${room}}`,
  start: startEdge,
};

const socketIo = {
  dialect: 'socket-io',
  form: 'socket-io',
  peer: true,
  channel: room => `socket.io#/#${room}#`,
};

/** @type {Record<string, Relay>} the first one is the baseline */
export const RELAYS = {
  bare: {
    title: 'bare uWebSockets.js + ioredis',
    form: 'frame',
    dialect: 'bare',
    channel: room => `bare:${room}`,
    start: startFile('bare.mjs'),
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
    start: startFile('socket-io.mjs', 'uws'),
  },
  'socket-io-ws': {
    ...socketIo,
    title: 'Socket.IO 4.8.3 + Redis adapter 8.3.0 on ws',
    start: startFile('socket-io.mjs', 'ws'),
  },
};
