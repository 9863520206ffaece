/** Clusters of two nodes that serve the same app of the Pusher protocol: Soketi, and Hubbub. */
import { join } from 'node:path';
import {
  eventually,
  freePort,
  installedPackages,
  ManagedProcess,
  signToken,
  spawnChild,
  startHubbub,
  startHubbubCluster,
} from '@hubbub/tools/kit';
import { APP } from './app.mjs';
import { configFile } from './config-file.mjs';
import { handleOf, SECRET, settingsOf } from './start.mjs';

const NODES = 2;
const PRESENCE_KEY = 'a-key-of-presence-of-the-benchmark-of-32-bytes';

/**
 * @typedef {import('./catalogue.mjs').RunningRelay & { killNode: (index: number) => void }} RunningNodes `killNode`: SIGKILL
 */

/** @param {import('./catalogue.mjs').RelayStart} start @returns {Promise<RunningNodes>} */
async function startSoketi({ redisUrl, cpus, nodeArgs }) {
  const folder = installedPackages('soketi', new URL('soketi/package.json', import.meta.url));
  const redis = new URL(redisUrl);
  const nodes = [];
  for (let index = 0; index < NODES; index++) {
    const [port, metricsPort] = [await freePort(), await freePort()];
    const env = {
      PATH: process.env.PATH,
      SOKETI_HOST: '127.0.0.1',
      SOKETI_PORT: String(port),
      SOKETI_METRICS_HOST: '127.0.0.1',
      SOKETI_METRICS_SERVER_PORT: String(metricsPort),
      SOKETI_ADAPTER_DRIVER: 'redis',
      SOKETI_DB_REDIS_HOST: redis.hostname,
      SOKETI_DB_REDIS_PORT: redis.port,
      SOKETI_DEFAULT_APP_ID: APP.id,
      SOKETI_DEFAULT_APP_KEY: APP.key,
      SOKETI_DEFAULT_APP_SECRET: APP.secret,
      SOKETI_SHUTDOWN_GRACE_PERIOD: '0',
    };
    const file = join(folder, 'node_modules/@soketi/soketi/bin/server.js');
    const name = `soketi ${index + 1}`;
    const node = new ManagedProcess(
      name,
      spawnChild([process.execPath, ...nodeArgs, file, 'start'], { name, cpus, env }),
    );
    await node.orExit(eventually(async () => (await fetch(`http://127.0.0.1:${port}/ready`)).ok));
    nodes.push({ port, process: node });
  }
  return {
    ...handleOfNodes(nodes, []),
    api: { port: nodes.at(-1).port, app: APP },
    headers: () => ({}),
  };
}

/** Presence, the edges and the HTTP API share the core that Soketi has for its nodes. */
async function startHubbubNodes({ redisUrl, cpus, nodeArgs }) {
  const env = settingsOf(redisUrl, {
    HUBBUB_API_PORT: '0',
    HUBBUB_SHED_OVERLOAD: 'false', // Soketi has no admission control.
    HUBBUB_CONFIG: configFile({ pusherApps: [{ ...APP, clientEvents: true }] }),
    HUBBUB_PRESENCE_API_KEYS: PRESENCE_KEY,
  });
  const options = { cpus, nodeArgs };
  const cluster = await startHubbubCluster({
    ...{ edges: NODES, presence: 1, env },
    edgeOptions: options,
    presenceOptions: options,
  });
  const [presence] = cluster.presence;
  const api = await startHubbub(['api'], { ...options, env: { ...env, HUBBUB_PRESENCE_URL: presence.adminUrl } });
  const edges = cluster.edges.map(({ process: edge }) => ({ port: edge.port, process: edge }));
  return {
    ...handleOfNodes(edges, [presence, api]),
    api: { port: api.port, app: APP },
    headers: member => ({
      Authorization: `Bearer ${signToken({ user: `member-${member}`, rooms: ['*'], secret: SECRET })}`,
    }),
  };
}

/** @param {readonly { port: number, process: ManagedProcess }[]} nodes @param {readonly ManagedProcess[]} others */
function handleOfNodes(nodes, others) {
  const all = [...nodes.map(node => node.process), ...others];
  const handles = all.map(handleOf);
  return {
    port: nodes[0].port,
    ports: nodes.map(({ port }) => port),
    pids: handles.flatMap(({ pids }) => pids),
    helpers: [],
    troubles: () => handles.flatMap(({ troubles }) => troubles()),
    collect() {
      for (const { collect } of handles) collect();
    },
    killNode: index => nodes[index].process.kill('SIGKILL'),
    async close() {
      await Promise.all(all.map(part => part.terminate()));
    },
  };
}

const hubbub = { form: 'pusher', channel: room => room, start: startHubbubNodes };

/** @type {Record<string, import('./catalogue.mjs').Relay>} the first one is what the others are measured against */
export const PUSHER = {
  soketi: {
    title: 'Soketi 1.6.1, two nodes with the Redis adapter',
    form: 'pusher',
    dialect: 'pusher',
    peer: true,
    channel: room => room,
    start: startSoketi,
  },
  hubbub: { ...hubbub, title: 'Hubbub, two edges, members with the Pusher protocol', dialect: 'pusher' },
  'hubbub-own': {
    ...hubbub,
    title: 'the same channels, members with the protocol of Hubbub',
    dialect: 'hubbub-channel',
  },
};
