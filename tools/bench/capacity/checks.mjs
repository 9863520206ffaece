/** Compares what the capacity model predicts with set-ups that its constants do not come from. */

import {
  constantsOf,
  edgeWorkOf,
  hasKnownTurns,
  heldWork,
  messagesOf,
  redisWorkOf,
  storedWork,
  turnsOf,
} from './constants.mjs';
import { FIGURE } from './setups.mjs';
import { costOf } from './work.mjs';

/** @typedef {{ resource: string, setup: string, unit: string, predicted: number, measured: number }} Check */

/** @param {import('../../report/results.mjs').Run} run @returns {Check[]} */
export function checksOf(run) {
  const constants = constantsOf(run);
  const turns = turnsOf(run).filter(({ setup }) => setup.use === 'check');
  const checked = rows => rows.filter(({ use }) => use === 'check');
  return [
    ...turns
      .filter(({ setup }) => hasKnownTurns(setup))
      .map(({ setup, redisMicros }) => ({
        resource: 'Redis: processor time per message',
        setup: titleOf(setup),
        unit: 'µs',
        predicted: costOf(redisWorkOf(setup), constants.redis) / messagesOf(setup),
        measured: redisMicros / messagesOf(setup),
      })),
    // While Redis is held, edges are mostly idle: their work of a turn is lost in that.
    ...turns
      .filter(({ setup }) => !setup.held)
      .map(({ setup, edgesMicros }) => ({
        resource: 'all edges: processor time per message',
        setup: titleOf(setup),
        unit: 'µs',
        predicted: costOf(edgeWorkOf(setup), constants.edge) / messagesOf(setup),
        measured: edgesMicros / messagesOf(setup),
      })),
    ...checked(run.openings).map(row => ({
      resource: 'edge: memory per session',
      setup: row.name,
      unit: 'bytes',
      predicted: costOf(heldWork(row), constants.edge) / row.sessions,
      measured: row.bytes / row.sessions,
    })),
    ...checked(run.registries).flatMap(row => [
      {
        resource: 'presence: processor time per join',
        setup: row.name,
        unit: 'µs',
        predicted: constants.presence.join,
        measured: row.presenceMicros / row.sessions,
      },
      {
        resource: 'presence: memory per session',
        setup: row.name,
        unit: 'bytes',
        predicted: constants.presence.sessionBytes,
        measured: row.bytes / row.sessions,
      },
    ]),
    ...checked(run.storage.histories).map(row => ({
      resource: 'Redis: memory per message of a history',
      setup: row.name,
      unit: 'bytes',
      predicted: costOf(storedWork(row), constants.redis) / (row.rooms * row.messages),
      measured: row.grownBytes / (row.rooms * row.messages),
    })),
  ];
}

/**
 * Processor time of Redis per message over the edges with a member, for the figure.
 * @param {import('../../report/results.mjs').Run} run
 * @returns {{ topology: string, width: number, micros: number, predicted: number, samples: number[] }[]}
 */
export function publishPoints(run) {
  const { redis } = constantsOf(run);
  return turnsOf(run)
    .filter(({ setup }) => FIGURE.includes(setup))
    .map(({ setup, redisMicros, redisSamples }) => ({
      topology: TOPOLOGY_TITLES[setup.topology],
      width: setup.width,
      micros: redisMicros / messagesOf(setup),
      predicted: costOf(redisWorkOf(setup), redis) / messagesOf(setup),
      samples: redisSamples.map(micros => micros / messagesOf(setup)),
    }));
}

const TOPOLOGY_TITLES = { one: 'one server', shards: 'two shards', cluster: 'a Cluster of three primaries' };

function titleOf({ topology, name }) {
  return `${TOPOLOGY_TITLES[topology]}, ${name}`;
}
