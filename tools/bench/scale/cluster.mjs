/** Starts the processes of the measured cluster: presence, then the edges in small batches. Redis already runs. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { residentBytes } from '../machine/memory.mjs';
import { COLLECTABLE, RELAYS } from '../relays/catalogue.mjs';
import { startHubbub, startPresence } from '../relays/start-hubbub.mjs';

const STARTING_AT_ONCE = 4;
const API_KEY = 'scale-key-of-presence-of-32-bytes';
/** More than the messages of a room while its edge is gone. */
const HISTORY_SIZE = 500;
const DRAIN = { HUBBUB_DRAIN_DELAY_MS: '1000', HUBBUB_DRAIN_WINDOW_MS: '10000' };
const PAGE = 1000;

/**
 * @param {{ redisUrl: string, edges: number, namespace: string, edgeArgs: readonly string[], presenceArgs: readonly string[] }} options
 *   rooms of `namespace` have a history; `edgeArgs`, `presenceArgs`: arguments of Node
 */
export async function startCluster({ redisUrl, edges: count, namespace, edgeArgs, presenceArgs }) {
  const dir = mkdtempSync(join(tmpdir(), 'hubbub-scale-'));
  const file = join(dir, 'hubbub.yaml');
  writeFileSync(file, `namespaces:\n  ${namespace}: { public: true, historySize: ${HISTORY_SIZE} }\n`);
  const env = { HUBBUB_CONFIG: file, HUBBUB_PRESENCE_API_KEYS: API_KEY, ...DRAIN };
  const presence = await startPresence({ redisUrl, nodeArgs: presenceArgs, env });
  const edges = await inBatches(count, i =>
    startHubbub({
      redisUrl,
      nodeArgs: [...edgeArgs, ...COLLECTABLE],
      env: { ...env, HUBBUB_NODE_ID: `edge-${i + 1}` },
    }),
  );
  return {
    presence,
    edges,
    /** Reads the user count of each occupied room from presence's HTTP interface. @returns {Promise<Map<string, number>>} */
    async rosters() {
      const counts = new Map();
      let cursor;
      do {
        const query = new URLSearchParams({ limit: String(PAGE), prefix: `${namespace}:`, ...(cursor && { cursor }) });
        const url = `http://127.0.0.1:${presence.adminPort}/rooms?${query}`;
        const answer = await fetch(url, { headers: { Authorization: `Bearer ${API_KEY}` } });
        if (!answer.ok) throw new Error(`Presence answered ${answer.status}: ${await answer.text()}`);
        const { rooms, next } = await answer.json();
        for (const room of rooms) counts.set(room.room_id, room.count);
        cursor = next;
      } while (cursor !== undefined);
      return counts;
    },
    async close() {
      await Promise.all([...edges, presence].map(part => part.close()));
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Starts as many bare relays as edges, with the same arguments of Node. */
export async function startBareRelays({ redisUrl, relays: count, nodeArgs }) {
  const relays = await inBatches(count, () => RELAYS.bare.start({ redisUrl, nodeArgs }));
  return { relays, close: () => Promise.all(relays.map(relay => relay.close())) };
}

/** Returns the resident bytes of all processes of the parts. @param {readonly { pids: readonly number[] }[]} parts @returns {number[]} */
export function residentOf(parts) {
  return parts.flatMap(({ pids }) => pids.map(pid => residentBytes(pid)));
}

async function inBatches(count, start) {
  const started = [];
  while (started.length < count) {
    const batch = Array.from({ length: Math.min(STARTING_AT_ONCE, count - started.length) }, (_, i) =>
      start(started.length + i),
    );
    started.push(...(await Promise.all(batch)));
  }
  return started;
}
