/** The constants of the capacity model, computed from the raw samples of the benchmark. */

import { median } from '../report/statistics.mjs';
import { fitCosts } from './least-squares.mjs';
import { EDGES, SERVERS, SETUPS } from './setups.mjs';
import { edgeWork, occupied, redisWork } from './work.mjs';

/** Bytes of a message in the set-ups that do not vary it. */
const MESSAGE_BYTES = 200;

/**
 * @param {import('../../report/results.mjs').Run} run of the capacity benchmark
 * @returns {Record<'redis' | 'edge' | 'presence' | 'kernel', Record<string, number>>} microseconds of processor time, and bytes;
 *   `redis.idle` and `edge.idle`: microseconds a second for each edge
 */
export function constantsOf({ turns, rests, openings, registries, storage }) {
  const fits = turnsOf({ turns, rests }).filter(({ setup }) => setup.use === 'fit');
  const widest = turns.filter(
    ({ topology, width, bytes }) => topology === 'one' && width === EDGES && bytes === MESSAGE_BYTES,
  );
  return {
    redis: {
      ...fitCosts(
        fits.flatMap(({ setup, redisMicros: cost }) => (givesRedis(setup) ? { work: redisWorkOf(setup), cost } : [])),
      ),
      idle: idleOf(rests, 'redisMicros'),
      join: perSession(registries, 'redisMicros'),
      deliveryBytes: median(widest.map(row => row.redisBytesOut / row.frames)) - MESSAGE_BYTES,
      publishReplicatedBytes: storage.publishReplicatedBytes - MESSAGE_BYTES,
      appendReplicatedBytes: storage.appendReplicatedBytes - MESSAGE_BYTES,
      ...fitCosts(fitsOf(storage.histories).map(row => ({ work: storedWork(row), cost: row.grownBytes }))),
      channelBytes: storage.firstSubscriptionBytes,
      subscriptionBytes: storage.nextSubscriptionBytes,
      connectionBytes: storage.connectionBytes,
      sessionBytes: perSession(registries, 'redisBytes'),
    },
    edge: {
      ...fitCosts(
        fits.flatMap(({ setup, edgesMicros: cost }) => (givesEdges(setup) ? { work: edgeWorkOf(setup), cost } : [])),
      ),
      ...fitCosts(fitsOf(openings).map(row => ({ work: openedWork(row), cost: row.edgeMicros }))),
      idle: idleOf(rests, 'edgesMicros'),
      deliveryBytes: median(widest.map(({ frameBytes, frames }) => frameBytes / frames)) - MESSAGE_BYTES,
      emptyBytes: median(openings.map(({ emptyBytes }) => emptyBytes)),
      ...fitCosts(fitsOf(openings).map(row => ({ work: heldWork(row), cost: row.bytes }))),
    },
    presence: {
      join: perSession(registries, 'presenceMicros'),
      emptyBytes: median(registries.map(({ emptyBytes }) => emptyBytes)),
      sessionBytes: perSession(registries, 'bytes'),
    },
    // The benchmark has both ends of each connection.
    kernel: { socketBytes: median(openings.map(({ kernelBytes, sessions }) => kernelBytes / sessions / 2)) },
  };
}

/**
 * Computes the cost of one turn of each set-up, without that of idle processes: medians over the rounds.
 * @returns {{ setup: import('./setups.mjs').Setup, redisMicros: number, edgesMicros: number, redisSamples: number[] }[]}
 */
export function turnsOf({ turns, rests }) {
  return SETUPS.map(setup => {
    const rows = turns.filter(({ topology, name }) => topology === setup.topology && name === setup.name);
    const samplesOf = cost =>
      rows.map(row => {
        const rest = rests.find(({ topology, round }) => topology === row.topology && round === row.round);
        return (row[cost] - (rest[cost] / rest.seconds) * row.seconds) / row.turns;
      });
    const redisSamples = samplesOf('redisMicros');
    return { setup, redisSamples, redisMicros: median(redisSamples), edgesMicros: median(samplesOf('edgesMicros')) };
  });
}

/** Messages of one turn, of all servers. @param {import('./setups.mjs').Setup} setup */
export function messagesOf({ topology, messages }) {
  return messages * SERVERS[topology];
}

const givesRedis = setup => hasKnownTurns(setup) && setup.members === 1;
const givesEdges = ({ bytes, held }) => bytes === MESSAGE_BYTES && !held;

/** Whether Redis handles the messages of a turn together. Those of clients arrive one by one, unless it is stopped meanwhile. */
export function hasKnownTurns({ by, held }) {
  return by === 'service' || held;
}

/** Actions of all servers of Redis in one turn of a set-up that has known turns. @param {import('./setups.mjs').Setup} setup */
export function redisWorkOf({ topology, messages, width, within, bytes, history, by }) {
  const sources = by === 'client' ? occupied({ edges: within, width: 1, messages }) : 1;
  const work = redisWork({ messages, width, edges: within, bytes, history, sources });
  return Object.fromEntries(Object.entries(work).map(([action, count]) => [action, count * SERVERS[topology]]));
}

/** Actions of all edges in one turn of a set-up. @param {import('./setups.mjs').Setup} setup */
export function edgeWorkOf({ topology, messages, width, within, members, history, by }) {
  const all = messagesOf({ topology, messages });
  const senders = occupied({ edges: within, width: 1, messages: all });
  if (by === 'ping') return edgeWork({ turns: senders, pings: all });
  // The frame of a client and the answer of Redis wake its edge, too.
  // Messages of several servers arrive at different times.
  const received = SERVERS[topology] * occupied({ edges: within, width, messages });
  const turns = received + (by === 'client' ? 2 * senders : 0);
  const envelopes = all * width;
  return edgeWork({ turns, envelopes, deliveries: envelopes * members, history, sends: by === 'client' ? all : 0 });
}

/** Actions of an edge while sessions open. @param {import('./opening.mjs').Opening} opening */
function openedWork({ sessions, perRoom, perUser, history }) {
  const rooms = sessions / perRoom;
  // Each user that joins is announced to those that are there: half of the room on average.
  const notices = (sessions / perUser) * ((perRoom - 1) / 2);
  return { join: sessions, openRoom: rooms, openHistory: history ? rooms : 0, notice: notices };
}

/** Counts of what an edge holds in memory. @param {import('./opening.mjs').Opening} opening */
export function heldWork({ sessions, perRoom, perUser, history }) {
  const rooms = sessions / perRoom;
  return {
    sessionBytes: sessions,
    userBytes: sessions / perUser,
    roomBytes: rooms,
    historyRoomBytes: history ? rooms : 0,
  };
}

/** Counts of what Redis holds in memory. @param {import('./storage.mjs').Histories} histories */
export function storedWork({ rooms, messages, bytes, keys }) {
  const all = rooms * messages;
  return { historyBytes: rooms, messageBytes: all, perMessageByte: all * bytes, keyBytes: keys ? all : 0 };
}

const fitsOf = rows => rows.filter(({ use }) => use === 'fit');

function perSession(rows, name) {
  return median(fitsOf(rows).map(row => row[name] / row.sessions));
}

function idleOf(rests, name) {
  return median(rests.filter(({ topology }) => topology === 'one').map(rest => rest[name] / rest.seconds / EDGES));
}
