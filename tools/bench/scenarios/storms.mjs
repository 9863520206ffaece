/** All clients connect simultaneously: to a fresh cluster, or to the remaining relay after the kill of theirs. */
import { measureStorm } from '../load/measure-storm.mjs';

const STORM = {
  stepTitle: 'connections',
  full: {
    relays: ['bare', 'hubbub', 'socket-io-uws', 'socket-io-ws'],
    rounds: 5,
    patience: 10,
    connections: 10_000,
    perRoom: 10,
  },
  quick: { rounds: 1, patience: 0, connections: 1000 },
  measures: [
    'allOpenMs',
    'halfOpenMs',
    'openPerSecond',
    'relayCpuUsPerConnection',
    'relayCpu',
    'redisCpu',
    'loadCpu',
    'othersCpu',
  ],
  turnSeconds: ({ patience }) => patience + 240,
};

/** @type {import('../comparison.mjs').Comparison} */
export const connectStorm = {
  ...STORM,
  name: 'connect-storm',
  description: '10,000 clients connect simultaneously, each with a token, to rooms of 10; presence runs beside Hubbub',
  /** `npm run scale` measures the same ratio with 100,000 connections. */
  targets: [{ relay: 'hubbub', against: 'bare', key: 'allOpenMs', atMost: 3 }],
  measure: turn => measureStorm(turn, { again: false }),
};

/** @type {import('../comparison.mjs').Comparison} */
export const reconnectStorm = {
  ...STORM,
  name: 'reconnect-storm',
  description:
    '10,000 clients lose their relay to kill -9 and reconnect simultaneously to another one, with their tokens and rooms',
  targets: [],
  measure: turn => measureStorm(turn, { again: true }),
};
