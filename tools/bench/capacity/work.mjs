/**
 * Counts the actions of Redis and the edges in one turn. A turn is the messages that a process handles together.
 * The constants are the costs of these actions; docs/capacity.md explains them.
 */

/** Edges that a turn reaches, if each message goes to `width` of `edges` at random (formula of occupancy). */
export function occupied({ edges, width, messages }) {
  return edges * (1 - (1 - Math.min(1, width / edges)) ** messages);
}

/**
 * Actions of one Redis server in one turn.
 * @param {{ messages: number, width: number, edges: number, bytes: number, history: boolean, sources?: number, replicas?: number }} turn
 *   `width`: edges with a member of a message's room; `sources`: connections that publish
 */
export function redisWork({ messages, width, edges, bytes, history, sources = 1, replicas = 0 }) {
  const deliveries = messages * (width + replicas);
  return {
    turn: Math.min(1, messages),
    source: sources,
    publish: history ? 0 : messages,
    append: history ? messages : 0,
    delivery: deliveries,
    deliveryKilobyte: (deliveries * bytes) / 1000,
    write: occupied({ edges, width, messages }) + replicas * Math.min(1, messages),
  };
}

/**
 * Actions of edges.
 * @param {{ turns: number, envelopes?: number, deliveries?: number, history?: boolean, sends?: number, pings?: number }} counts
 */
export function edgeWork({ turns, envelopes = 0, deliveries = 0, history = false, sends = 0, pings = 0 }) {
  return {
    turn: turns,
    envelope: envelopes,
    historyEnvelope: history ? envelopes : 0,
    delivery: deliveries,
    send: sends,
    ping: pings,
  };
}

/** @param {Record<string, number>} work counts by action @param {Record<string, number>} costs by action @returns {number} in the unit of the costs */
export function costOf(work, costs) {
  return Object.entries(work).reduce((sum, [action, count]) => sum + (count === 0 ? 0 : count * costs[action]), 0);
}
