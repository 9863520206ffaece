/** Starts a cluster for the load: Redis, presence and edges as real processes on free ports of 127.0.0.1. */
import { randomBytes } from 'node:crypto';
import { namespacesFile, startHubbubCluster, startRedis } from '@hubbub/tools/kit';

/**
 * Settings of all processes that differ from the defaults. The load comes from one machine, so the limits of one address are
 * lifted: they would dominate the measurement. The limits of one session or user stay.
 */
const SETTINGS = {
  NODE_ENV: 'production',
  HUBBUB_MAX_CONNECTIONS_PER_ADDRESS: '0',
  HUBBUB_MAX_HANDSHAKES_PER_SECOND: '0',
  HUBBUB_MAX_ADDRESS_FRAMES_PER_SECOND: '0',
  // Without a balancer and without clients at the end, draining needs no time.
  HUBBUB_DRAIN_DELAY_MS: '0',
  HUBBUB_DRAIN_WINDOW_MS: '0',
};

/** `load`: as in an app; `kept`: with a history; `quiet`: without presence (a roster of 100,000 is another measurement). */
const NAMESPACES = {
  load: { public: true },
  kept: { public: true, historySize: 1000 },
  quiet: { public: true, presence: 'off' },
};

/** @param {{ edges: number }} options */
export async function startCluster({ edges }) {
  const secret = randomBytes(32).toString('base64url');
  const redis = await startRedis();
  const env = {
    ...SETTINGS,
    HUBBUB_CONFIG: namespacesFile(NAMESPACES),
    HUBBUB_REDIS_URL: redis.url,
    HUBBUB_JWT_SECRET: secret,
  };
  const cluster = await startHubbubCluster({ edges, presence: 1, env });
  return {
    secret,
    urls: cluster.edges.map(({ httpUrl }) => httpUrl.replace('http', 'ws')),
    /** @type {import('@hubbub/tools/kit').HubbubProcess[]} */
    edges: cluster.edges.map(({ process }) => process),
    async close() {
      await cluster.end('terminate');
      await redis.dispose();
    },
  };
}
