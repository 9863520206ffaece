/** hubbub start: an edge, presence, webhooks and the playground in one process; in memory, or on HUBBUB_REDIS_URL. */
import { type BrokerClient, MemoryCluster } from '@hubbub/broker';
import { type Config, hasWebhooks, isLoopbackHost } from '@hubbub/config';
import { startEdge } from '@hubbub/edge';
import type { Presence } from '@hubbub/presence';
import { startWebhooks } from '@hubbub/webhooks';
import { Command } from 'commander';
import { wholeNumber } from '../command-line.js';
import { openMint, type TokenMint } from '../mint-token.js';
import { playgroundPages } from '../playground.js';
import { startMemoryPresence, startRedisPresence } from '../presence.js';
import { type ProcessParts, runProcess } from '../process.js';
import { openConfiguredBrokerClient } from '../redis.js';

const PORT = wholeNumber(0, 65_535);
const HOUR_MS = 3_600_000;

export function startCommand(): Command {
  return new Command('start')
    .description(
      'Runs everything in one process: edge, presence and the playground. Without HUBBUB_REDIS_URL in memory.',
    )
    .option('--port <n>', 'for clients and the playground, instead of HUBBUB_PORT (8080)', PORT)
    .option('--admin-port <n>', 'for /healthz, /readyz and /metrics, instead of HUBBUB_ADMIN_PORT (8081)', PORT)
    .addHelpText(
      'after',
      `
The playground is a page to try it out. It gives a token to everyone who asks, so it exists in development and on this
machine only. Ctrl-C ends it.

Example:
  $ hubbub start --port 9000   # then open http://127.0.0.1:9000/`,
    )
    .action(async (ports: { port?: number; adminPort?: number }) => {
      const running = await runProcess('hubbub', start, ports);
      welcome(running);
    });
}

async function start(parts: ProcessParts) {
  const { config } = parts;
  const { brokerClient, presence } = await openCluster(parts);
  const mint = playgroundMint(config);
  const pages = mint === undefined ? {} : await playgroundPages({ mint, basePath: config.basePath });
  const edge = await startEdge({ ...parts, brokerClient, pages, portSetting: '--port or HUBBUB_PORT' });
  const webhooks = hasWebhooks(config) ? startWebhooks({ ...parts, brokerClient }) : undefined;
  return {
    ...edge,
    routes: presence.routes,
    adminPortSetting: '--admin-port or HUBBUB_ADMIN_PORT',
    async close(announced?: boolean) {
      await edge.close(announced);
      await webhooks?.close();
      await presence.close();
      await brokerClient.close();
    },
  };
}

async function openCluster(
  parts: ProcessParts,
): Promise<{ brokerClient: BrokerClient; presence: Pick<Presence, 'routes' | 'close'> }> {
  const { config, log } = parts;
  if (config.redisUrl !== undefined) {
    return {
      brokerClient: openConfiguredBrokerClient(config.redisUrl, config, log, parts.metrics),
      presence: await startRedisPresence(config.redisUrl, parts),
    };
  }
  const cluster = new MemoryCluster({ leaseMs: config.nodeLeaseMs, maxRevocations: config.maxRevocations });
  const brokerClient = cluster.open();
  return { brokerClient, presence: startMemoryPresence(cluster, brokerClient, parts) };
}

/** The playground gives a token to every caller: only for this machine, and only if this process signs tokens. */
function playgroundMint(config: Config): TokenMint | undefined {
  return !config.production && isLoopbackHost(config.host) ? openMint(config) : undefined;
}

/** Prints the next steps for a person; a token only in development. */
function welcome({ config, log, port }: ProcessParts & { port: number | undefined }): void {
  const mint = playgroundMint(config);
  if (mint === undefined) return;
  const secure = config.tlsCertFile === undefined ? '' : 's';
  const address = `http${secure}://${config.host}:${port}`;
  log.info({ event: 'playground', address }, `playground: ${address}/`);
  const token = mint({ user: 'demo', name: 'Demo', ttlMs: 24 * HOUR_MS });
  // Not a log line: it is meant to be copied, and tokens do not belong into logs.
  process.stderr.write(
    `\n  Playground  ${address}/\n  WebSocket   ws${secure}://${config.host}:${port}${config.basePath}/ws?token=${token}\n\n`,
  );
}
