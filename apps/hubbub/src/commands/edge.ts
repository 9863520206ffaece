/** hubbub edge: one edge of a cluster on Redis, or several on one port. */
import { setTimeout as delay } from 'node:timers/promises';
import type { BrokerClient } from '@hubbub/broker';
import { startEdge } from '@hubbub/edge';
import { Channels, HubbubError } from '@hubbub/protocol';
import { Command, Option } from 'commander';
import { wholeNumber } from '../command-line.js';
import { type ProcessParts, type RunningProcess, runProcess } from '../process.js';
import { openConfiguredBrokerClient, requireRedis } from '../redis.js';
import { runWorkers } from '../workers/run-workers.js';
import { serveAsWorker } from '../workers/serve-worker.js';

const WORKERS_MAX = 256;
const BUS_RETRY_MS = 250;

export function edgeCommand(): Command {
  return new Command('edge')
    .description('Runs one edge of a cluster: it holds the sockets. Needs HUBBUB_REDIS_URL.')
    .option(
      '--workers <n>',
      'run n edges on one port; SIGHUP replaces them one after the other',
      wholeNumber(1, WORKERS_MAX),
    )
    .addOption(new Option('--as-worker').hideHelp())
    .addHelpText(
      'after',
      `
Clients come to HUBBUB_PORT (8080); HUBBUB_ADMIN_PORT (8081) has /healthz, /readyz and /metrics. Edges that share a
machine need ports of their own, unless --workers starts them. A cluster needs hubbub presence beside its edges.

With --workers the admin port answers for all: ready when every worker is, metrics added up.
  SIGHUP    replaces the workers one after the other; each reads the configuration file again
  SIGTERM   has all of them drain; a second one ends them immediately
On Linux 5.14 and newer, sysctl net.ipv4.tcp_migrate_req=1 lets connections that arrive while
a worker closes its port go to the others.

Examples:
  $ HUBBUB_REDIS_URL=redis://127.0.0.1:6379 HUBBUB_PORT=9001 HUBBUB_ADMIN_PORT=9101 hubbub edge
  $ HUBBUB_REDIS_URL=redis://127.0.0.1:6379 hubbub edge --workers 4`,
    )
    .action(async ({ workers, asWorker }: { workers?: number; asWorker?: boolean }) => {
      if (asWorker) return await serveAsWorker(startWithBus);
      await (workers === undefined ? runProcess('edge', start) : runWorkers(workers));
    });
}

function start(parts: ProcessParts): Promise<RunningProcess> {
  return startOn(openConfiguredBrokerClient(requireRedis(parts.config), parts.config, parts.log, parts.metrics), parts);
}

/** On a shared port connections come as soon as it listens: so it does when it can serve them. */
async function startWithBus(parts: ProcessParts): Promise<RunningProcess> {
  const brokerClient = openConfiguredBrokerClient(requireRedis(parts.config), parts.config, parts.log, parts.metrics);
  const { broadcast } = new Channels(parts.config.redisPrefix);
  for (;;) {
    try {
      // The edge subscribes to it as well: that is one subscription.
      await brokerClient.broker.subscribe(broadcast);
      return await startOn(brokerClient, parts);
    } catch (error) {
      // Redis is not available yet; the connection logs that.
      if (!(error instanceof HubbubError) || !error.retryable) throw error;
      await delay(BUS_RETRY_MS);
    }
  }
}

async function startOn(brokerClient: BrokerClient, parts: ProcessParts): Promise<RunningProcess> {
  const edge = await startEdge({ ...parts, brokerClient });
  return {
    ...edge,
    async close(announced?: boolean) {
      await edge.close(announced);
      await brokerClient.close();
    },
  };
}
