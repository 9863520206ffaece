/** The relays that are compared: how each is started, joined and published to. */
import { fileURLToPath } from 'node:url';
import { startBare } from './start-bare.mjs';
import { startHubbub } from './start-hubbub.mjs';

/**
 * @typedef {object} RunningRelay
 * @property {number} port @property {readonly number[]} pids @property {() => Promise<void>} close
 * @property {(member: number) => Record<string, string>} headers of a member's upgrade request
 * @property {() => string[]} troubles events that it has complained of since the last look
 */

/**
 * @typedef {object} RelayStart
 * @property {string} redisUrl @property {string} room @property {string | undefined} cpus
 * @property {readonly string[]} nodeArgs such as those that write a profile
 */

/**
 * @typedef {object} Relay
 * @property {string} title for people
 * @property {import('../load/message.mjs').Form} form of what is published to it
 * @property {boolean} awaitsWelcome whether its first frame says that the room was joined
 * @property {(room: string) => string} channel
 * @property {(start: RelayStart) => Promise<RunningRelay>} start
 */

const hubbub = {
  awaitsWelcome: true,
  channel: room => `hubbub:room:{${room}}`,
  start: startHubbub,
};

/** @type {Record<string, Relay>} the first one is what the others are measured against */
export const RELAYS = {
  bare: {
    title: 'bare uWebSockets.js + ioredis',
    form: 'frame',
    awaitsWelcome: false,
    channel: room => `bare:${room}`,
    start: startBare,
  },
  hubbub: { ...hubbub, title: 'Hubbub, envelopes', form: 'envelope' },
  'hubbub-json': { ...hubbub, title: 'Hubbub, plain JSON of a service', form: 'service-json' },
};

/** Where a profile of a relay goes. */
export const PROFILES_DIR = fileURLToPath(new URL('../profiles/', import.meta.url));
