/** Idle connections: the memory of each in a relay, and their running cost for the relay and Redis. */
import { measureIdleCost, measureMemory } from '../load/measure-idle.mjs';

const TURN_SECONDS = 180;

/** @type {import('../comparison.mjs').Comparison} */
export const memory = {
  name: 'memory',
  description: 'memory of an idle connection in a relay: with a token, in one room of 10; presence runs beside Hubbub',
  stepTitle: 'connections',
  full: {
    relays: ['bare', 'hubbub', 'socket-io-uws', 'socket-io-ws'],
    rounds: 3,
    connections: 15_000,
    perRoom: 10,
    settle: 5,
  },
  quick: { rounds: 1, connections: 2000, settle: 1 },
  measures: ['emptyMiB', 'bytesPerConnection', 'bytesPerConnectionCollected'],
  targets: [
    { relay: 'hubbub', key: 'bytesPerConnection', atMost: 4096 },
    { relay: 'hubbub', key: 'bytesPerConnectionCollected', atMost: 4096 },
  ],
  turnSeconds: ({ settle }) => settle + TURN_SECONDS,
  measure: measureMemory,
};

/** @type {import('../comparison.mjs').Comparison} */
export const idleCost = {
  name: 'idle-cost',
  description:
    'running cost of 10,000 idle connections: processor of the relay, of presence and of Redis, and commands of Redis',
  stepTitle: 'connections',
  full: {
    relays: ['bare', 'hubbub', 'socket-io-uws', 'socket-io-ws'],
    rounds: 1,
    seconds: 35,
    patience: 10,
    connections: 10_000,
    perRoom: 10,
    settle: 5,
  },
  quick: { rounds: 1, seconds: 3, patience: 0, connections: 1000, settle: 1 },
  measures: [
    'relayCpuPercent',
    'helpersCpuPercent',
    'redisCpuPercent',
    'redisCommandsPerSecond',
    'loadCpu',
    'othersCpu',
  ],
  targets: [],
  turnSeconds: ({ settle, seconds, patience }) => settle + seconds + patience + TURN_SECONDS,
  measure: measureIdleCost,
};
