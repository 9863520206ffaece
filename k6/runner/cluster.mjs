/** Starts a cluster for the load: Redis, presence and edges as real processes on free ports of 127.0.0.1. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { lineOf, startNode, stop } from '../../tools/bench/machine/processes.mjs';
import { findRedis, startRedis } from '../../tools/bench/machine/redis.mjs';

const MAIN = fileURLToPath(new URL('../../apps/hubbub/dist/cli/main.js', import.meta.url));
const READY_WITHIN_MS = 15_000;
const LOOK_AGAIN_MS = 50;
const LISTENING_WITHIN_MS = 30_000;

/**
 * Settings of all processes that differ from the defaults. The load comes from one machine, so the limits of one address are
 * lifted: they would dominate the measurement. The limits of one session or user stay.
 */
const SETTINGS = {
  NODE_ENV: 'production',
  HUBBUB_PORT: '0',
  HUBBUB_ADMIN_PORT: '0',
  HUBBUB_MAX_CONNECTIONS_PER_ADDRESS: '0',
  HUBBUB_MAX_HANDSHAKES_PER_SECOND: '0',
  HUBBUB_MAX_ADDRESS_FRAMES_PER_SECOND: '0',
  // Without a balancer and without clients at the end, draining needs no time.
  HUBBUB_DRAIN_DELAY_MS: '0',
  HUBBUB_DRAIN_WINDOW_MS: '0',
};

/** `load`: as in an app; `kept`: with a history; `quiet`: without presence (a roster of 100,000 is another measurement). */
const NAMESPACES = `namespaces:
  load: { public: true }
  kept: { public: true, historySize: 1000 }
  quiet: { public: true, presence: 'off' }
`;

/** @param {{ edges: number, env?: Record<string, string> }} options */
export async function startCluster({ edges: count, env = {} }) {
  const secret = randomBytes(32).toString('base64url');
  const folder = mkdtempSync(join(tmpdir(), 'hubbub-k6-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const config = join(folder, 'hubbub.yaml');
  writeFileSync(config, NAMESPACES);
  const redis = await startRedis(findRedis().command, undefined);
  const settings = {
    ...SETTINGS,
    HUBBUB_CONFIG: config,
    HUBBUB_REDIS_URL: redis.url,
    HUBBUB_JWT_SECRET: secret,
    ...env,
  };
  const start = (command, name) => startProcess(command, name, { ...settings, HUBBUB_NODE_ID: name });
  const presence = await start('presence', 'presence-1');
  const edges = await Promise.all(Array.from({ length: count }, (_, index) => start('edge', `edge-${index + 1}`)));
  return {
    secret,
    urls: edges.map(({ port }) => `ws://127.0.0.1:${port}`),
    edges,
    presence,
    redis,
    async close() {
      await Promise.all([...edges, presence].map(({ child }) => stop(child)));
      await redis.close();
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof startProcess>>} ClusterProcess */

async function startProcess(command, name, settings) {
  // The developer's own settings must not change a measurement.
  const inherited = Object.entries(process.env).filter(([key]) => !key.startsWith('HUBBUB_'));
  const child = startNode([MAIN, command], { name, env: { ...Object.fromEntries(inherited), ...settings } });
  const { port, adminPort } = await lineOf(child, listeningLine, { name, withinMs: LISTENING_WITHIN_MS });
  await untilReady(name, adminPort);
  return { name, child, pid: child.pid, port, adminUrl: `http://127.0.0.1:${adminPort}` };
}

function listeningLine(line) {
  if (!line.startsWith('{')) return undefined;
  const entry = JSON.parse(line);
  return entry.event === 'listening' ? entry : undefined;
}

async function untilReady(name, adminPort) {
  const deadline = performance.now() + READY_WITHIN_MS;
  while (performance.now() < deadline) {
    const answer = await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => undefined); // Not listening yet.
    if (answer?.ok) return;
    await sleep(LOOK_AGAIN_MS);
  }
  throw new Error(`${name} was not ready within ${READY_WITHIN_MS} ms.`);
}
