/** Starts the processes of the measured cluster: presence, then the edges in small batches. Redis already runs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { namespacesFile, readMetrics, startHubbubCluster } from '@hubbub/tools/kit';
import { residentBytes } from '../machine/usage.mjs';
import { RELAYS } from '../relays/catalogue.mjs';
import { handleOf, settingsOf } from '../relays/start.mjs';

const STARTING_AT_ONCE = 4;
const API_KEY = 'scale-key-of-presence-of-32-bytes';
/** More than the messages of a room while its edge is gone. */
const HISTORY_SIZE = 500;
const DRAIN = { HUBBUB_DRAIN_DELAY_MS: '1000', HUBBUB_DRAIN_WINDOW_MS: '10000' };
const PAGE = 1000;
const REAPED = 'hubbub_presence_reaped_nodes_total';
const REPEATED_JOINS = 'hubbub_edge_repeated_joins_total';
const LOOK_AGAIN_MS = 250;

/**
 * @param {{ redisUrl: string, edges: number, namespace: string, edgeArgs: readonly string[], presenceArgs: readonly string[],
 *   cpus?: string, env?: NodeJS.ProcessEnv }} options rooms of `namespace` have a history; `edgeArgs`, `presenceArgs`: arguments
 *   of Node; `cpus`: cores of all processes
 */
export async function startCluster({ redisUrl, edges, namespace, edgeArgs, presenceArgs, cpus, env }) {
  const config = namespacesFile({ [namespace]: { public: true, historySize: HISTORY_SIZE } });
  const cluster = await startHubbubCluster({
    edges,
    presence: 1,
    startingAtOnce: STARTING_AT_ONCE,
    env: settingsOf(redisUrl, { HUBBUB_CONFIG: config, HUBBUB_PRESENCE_API_KEYS: API_KEY, ...DRAIN, ...env }),
    edgeOptions: { cpus, nodeArgs: edgeArgs },
    presenceOptions: { cpus, nodeArgs: presenceArgs },
  });
  const newest = () => cluster.presence.at(-1);
  /** The sum of a metric over processes; those that have ended count nothing. */
  const sumOf = async (processes, name) => {
    const values = await Promise.all(
      processes.map(async one => (await readMetrics(one).catch(() => new Map())).get(name) ?? 0),
    );
    return values.reduce((sum, value) => sum + value, 0);
  };
  const [presence] = cluster.presence;
  return {
    presence: { ...handleOf(presence), adminUrl: presence.adminUrl },
    /** Starts another instance, which answers from then on. */
    addPresence: async () => void (await cluster.addPresence()),
    edges: cluster.edges.map(({ process }) => ({
      ...handleOf(process),
      port: process.port,
      terminate: () => process.kill('SIGTERM'),
    })),
    /** Reads the user count of each occupied room from presence's HTTP interface. @returns {Promise<Map<string, number>>} */
    async rosters() {
      const counts = new Map();
      let cursor;
      do {
        const query = new URLSearchParams({ limit: String(PAGE), prefix: `${namespace}:`, ...(cursor && { cursor }) });
        const headers = { Authorization: `Bearer ${API_KEY}` };
        const answer = await fetch(`${newest().adminUrl}/rooms?${query}`, { headers });
        if (!answer.ok) throw new Error(`Presence answered ${answer.status}: ${await answer.text()}`);
        const { rooms, next } = await answer.json();
        for (const room of rooms) counts.set(room.room_id, room.count);
        cursor = next;
      } while (cursor !== undefined);
      return counts;
    },
    /** Dead edges that all instances reaped. */
    reapedNodes: () => sumOf(cluster.presence, REAPED),
    /** Joins that edges reported to presence again. */
    repeatedJoins: () =>
      sumOf(
        cluster.edges.map(({ process }) => process),
        REPEATED_JOINS,
      ),
    close: () => cluster.end('terminate'),
  };
}

/** Whether each room has its share of the connections, each of its own user. */
export async function rostersAreRight(cluster, rooms, connections) {
  const counts = await cluster.rosters();
  const due = room => Math.floor(connections / rooms.length) + (room < connections % rooms.length ? 1 : 0);
  return counts.size === rooms.length && rooms.every((name, room) => counts.get(name) === due(room));
}

/** @returns {Promise<number | undefined>} seconds until the condition held; undefined after `withinMs` */
export async function secondsUntil(isSo, withinMs) {
  const beganAt = performance.now();
  while (performance.now() - beganAt < withinMs) {
    if (await isSo()) return (performance.now() - beganAt) / 1000;
    await sleep(LOOK_AGAIN_MS);
  }
  return undefined;
}

/** Starts as many bare relays as edges, with the same arguments of Node and the same idle timeout. */
export async function startBareRelays({ redisUrl, relays: count, nodeArgs, env }) {
  const relays = [];
  for (let i = 0; i < count; i++) relays.push(await RELAYS.bare.start({ redisUrl, nodeArgs, env }));
  return { relays, close: () => Promise.all(relays.map(relay => relay.close())) };
}

/** Returns the resident bytes of all processes of the parts. @param {readonly { pids: readonly number[] }[]} parts @returns {number[]} */
export function residentOf(parts) {
  return parts.flatMap(({ pids }) => pids.map(pid => residentBytes(pid)));
}
