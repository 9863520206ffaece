/** The resources of a planned cluster, and how much of each limit the load uses. */
import { costOf, edgeWork, occupied, redisWork } from '../bench/capacity/work.mjs';

const SECOND_MICROS = 1e6;
const GIB = 2 ** 30;

/** Defaults of settings, and bounds of Redis, that limit a cluster. */
export const LIMITS = {
  /** `maxclients` of Redis. */
  redisConnections: 10_000,
  /** The largest HUBBUB_PRESENCE_PARTITIONS; an instance without a partition has nothing to do. */
  partitions: 256,
  /** Default of HUBBUB_MAX_HANDSHAKES_PER_SECOND. */
  handshakesPerSecond: 1500,
  /** Connections of an edge to each primary, and to the map of a Cluster. */
  connectionsEach: 2,
  connectionsBeside: 2,
  /** How long Redis keeps the key of a message with a history (IDEMPOTENCY_WINDOW_MS), and by default its history. */
  keySeconds: 300,
  historySeconds: 300,
  /** Default of the interval in which a silent client pings (HUBBUB_PING_INTERVAL_MS). */
  pingSeconds: 25,
};

/**
 * @typedef {import('./model.mjs').Input} Input
 * @typedef {import('./model.mjs').Counts} Counts
 * @typedef {import('./model.mjs').Resource} Resource
 */

/** Figures of a cluster of this size, for people and for the resources. */
export function figuresOf(input, { edges, primaries }, constants) {
  const { sessions, rooms, roomsPerSession, spareEdges, spread, rate, bytes, history, load, joins } = input;
  const members = (sessions * roomsPerSession) / rooms;
  const living = Math.max(1, edges - spareEdges);
  const width = spread * occupied({ edges: living, width: 1, messages: members }) + (1 - spread);
  const perPrimary = rate / primaries;
  const kept = history === 0 ? 0 : Math.min(rooms * history, rate * LIMITS.historySeconds);
  const { redis, edge } = constants;
  // Larger turns do not make this cheaper.
  const publishMicros = costOf(
    { [history > 0 ? 'append' : 'publish']: 1, delivery: width, deliveryKilobyte: (width * bytes) / 1000 },
    redis,
  );
  const deliverMicros = edge.envelope + (members / width) * edge.delivery;
  return {
    members,
    living,
    width,
    perPrimary,
    kept,
    sessionsPerEdge: sessions / living,
    roomsPerEdge: (rooms * width) / living,
    connectionsPerEdge: LIMITS.connectionsEach * primaries + LIMITS.connectionsBeside,
    roomRate: (load * SECOND_MICROS) / Math.max(publishMicros, deliverMicros),
    joinsPerEdge: joins / living,
  };
}

/** @param {Input} input @param {Counts} counts @returns {Resource[]} */
export function resourcesOf(input, counts, constants) {
  const figures = figuresOf(input, counts, constants);
  return [
    ...redisResources(input, counts, constants, figures),
    ...edgeResources(input, constants, figures),
    ...(input.presence ? presenceResources(input, counts, constants) : []),
  ];
}

function redisResources(input, { edges, primaries, instances }, { redis }, figures) {
  const {
    sessions,
    rooms,
    roomsPerSession,
    rate,
    bytes,
    from,
    replicas,
    load,
    presence,
    joins,
    redisGib,
    mbit,
    turnSeconds,
  } = input;
  const { width, living, perPrimary, kept } = figures;
  const history = input.history > 0;
  const messages = perPrimary * turnSeconds;
  const sources = from === 'clients' ? occupied({ edges: living, width: 1, messages }) : Math.min(1, messages);
  const turn = redisWork({ messages, width, edges: living, bytes, history, sources, replicas });
  const entries = presence ? sessions * roomsPerSession : 0;
  const joinsMicros = presence ? (joins * roomsPerSession * redis.join) / primaries : 0;
  const memory =
    (history ? rooms * redis.historyBytes + kept * (redis.messageBytes + bytes * redis.perMessageByte) : 0) +
    (history ? rate * LIMITS.keySeconds * redis.keyBytes : 0) +
    rooms * (redis.channelBytes + (width - 1) * redis.subscriptionBytes) +
    entries * redis.sessionBytes;
  const connections = LIMITS.connectionsEach * (edges + instances) + replicas;
  const replicated = bytes + (history ? redis.appendReplicatedBytes : redis.publishReplicatedBytes);
  const sent = perPrimary * (width * (bytes + redis.deliveryBytes) + replicas * replicated);
  const idleMicros = edges * redis.idle;
  return [
    {
      of: 'primaries',
      what: 'processor of a Redis primary',
      used: (costOf(turn, redis) / turnSeconds + joinsMicros + idleMicros) / SECOND_MICROS,
      limit: load,
      unit: 'core',
      change: 'more primaries; rooms on fewer edges (a balancer that routes by room); fewer messages with a history',
    },
    {
      of: 'primaries',
      what: 'memory of a Redis primary',
      used: (memory / primaries + connections * redis.connectionBytes) / GIB,
      limit: redisGib,
      unit: 'GiB',
      change: 'more primaries; a smaller historySize; a shorter historyTtlMs',
    },
    {
      of: 'primaries',
      what: 'network of a Redis primary, replicas included',
      used: (sent * 8) / 1e6,
      limit: mbit,
      unit: 'Mbit/s',
      change: 'more primaries; smaller messages; rooms on fewer edges',
    },
    {
      of: 'rooms',
      what: 'messages a second of one room',
      used: rate / rooms,
      limit: figures.roomRate,
      unit: '',
      change: 'several rooms in place of one; rooms on fewer edges (a balancer that routes by room)',
    },
    {
      of: 'maxclients',
      what: 'connections of a Redis primary (maxclients)',
      used: connections,
      limit: LIMITS.redisConnections,
      unit: '',
      change: 'a larger maxclients, and more open files for Redis; fewer, larger edges',
    },
  ];
}

function edgeResources(input, { edge, kernel }, figures) {
  const { sessionsPerEdge, roomsPerSession, sessionsPerUser, rate, bytes, from, load, edgeGib, mbit, turnSeconds } =
    input;
  const { members, living, width, roomsPerEdge, joinsPerEdge } = figures;
  const history = input.history > 0;
  const sessions = figures.sessionsPerEdge;
  const perSecond = {
    envelopes: (rate * width) / living,
    deliveries: (rate * members) / living,
    sends: from === 'clients' ? rate / living : 0,
    pings: sessions / LIMITS.pingSeconds,
    history,
  };
  const wakeUps = perSecond.envelopes + 2 * perSecond.sends + perSecond.pings;
  const turns = Math.min(1 / turnSeconds, wakeUps);
  const steady = (costOf(edgeWork({ turns, ...perSecond }), edge) + edge.idle) / SECOND_MICROS;
  const roomsPerJoin = Math.min(roomsPerSession, roomsPerEdge / sessions);
  const storm =
    (joinsPerEdge * (edge.join + roomsPerJoin * (edge.openRoom + (history ? edge.openHistory : 0)))) / SECOND_MICROS;
  const held = {
    sessionBytes: sessions,
    userBytes: sessions / sessionsPerUser,
    roomBytes: roomsPerEdge,
    historyRoomBytes: history ? roomsPerEdge : 0,
  };
  const memory = edge.emptyBytes + costOf(held, edge) + sessions * kernel.socketBytes;
  return [
    {
      of: 'edges',
      what: 'processor of an edge',
      used: steady,
      limit: load,
      unit: 'core',
      change: 'more edges; rooms on fewer edges; smaller rooms; fewer, larger messages',
    },
    {
      of: 'edges',
      what: 'processor of an edge while clients reconnect',
      used: steady + storm,
      limit: 1,
      unit: 'core',
      change: 'more edges; a longer HUBBUB_DRAIN_WINDOW_MS and HUBBUB_BACKOFF_BASE_MS',
    },
    {
      of: 'edges',
      what: 'handshakes a second of an edge while clients reconnect',
      used: joinsPerEdge,
      limit: LIMITS.handshakesPerSecond,
      unit: '',
      change: 'more edges; a larger HUBBUB_MAX_HANDSHAKES_PER_SECOND',
    },
    {
      of: 'edges',
      what: 'sessions of an edge',
      used: sessions,
      limit: sessionsPerEdge,
      unit: '',
      change: 'more edges',
    },
    {
      of: 'edges',
      what: 'memory of an edge, sockets of the kernel included',
      used: memory / GIB,
      limit: edgeGib,
      unit: 'GiB',
      change: 'more edges; rooms on fewer edges',
    },
    {
      of: 'edges',
      what: 'network of an edge',
      used: (perSecond.deliveries * (bytes + edge.deliveryBytes) * 8) / 1e6,
      limit: mbit,
      unit: 'Mbit/s',
      change: 'more edges; smaller messages',
    },
  ];
}

/** One instance may fail: the others have the load of all. */
function presenceResources({ sessions, roomsPerSession, joins, load, presenceGib }, { instances }, { presence }) {
  const working = instances - 1;
  const memory = presence.emptyBytes + (sessions * roomsPerSession * presence.sessionBytes) / working;
  return [
    {
      of: 'instances',
      what: 'processor of a presence instance while clients reconnect',
      used: (joins * roomsPerSession * presence.join) / SECOND_MICROS / working,
      limit: load,
      unit: 'core',
      change: 'more instances; presence: off in namespaces that need no roster',
    },
    {
      of: 'instances',
      what: 'memory of a presence instance',
      used: memory / GIB,
      limit: presenceGib,
      unit: 'GiB',
      change: 'more instances; more memory for each (--max-old-space-size)',
    },
    {
      of: 'partitions',
      what: 'presence instances (partitions)',
      used: instances,
      limit: LIMITS.partitions,
      unit: '',
      change: 'instances with more memory; several clusters',
    },
  ];
}
