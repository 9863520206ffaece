/** hubbub webhooks: one process that sends client events and lifecycle events to the receivers of the configuration. */
import { ConfigError, hasWebhooks } from '@hubbub/config';
import { RedisWatch } from '@hubbub/runtime';
import { startWebhooks } from '@hubbub/webhooks';
import { Command } from 'commander';
import { type ProcessParts, type RunningProcess, runProcess } from '../process.js';
import { openConfiguredBrokerClient, requireRedis } from '../redis.js';
import { deadLettersCommand, redeliverCommand } from './webhook-letters.js';

export function webhooksCommand(): Command {
  return new Command('webhooks')
    .description('Sends client events and lifecycle events to HTTP receivers. Needs HUBBUB_REDIS_URL and webhooks.')
    .addHelpText(
      'after',
      `
The file that HUBBUB_CONFIG names has the webhooks: receiver, events, secrets (docs/webhooks.md). Several processes may
run: one of them reads a stream at a time, and another takes over when it ends. It listens on HUBBUB_ADMIN_PORT (8081)
alone: choose another one where that is taken.

Example:
  $ HUBBUB_REDIS_URL=redis://127.0.0.1:6379 HUBBUB_CONFIG=hubbub.yaml HUBBUB_ADMIN_PORT=9104 hubbub webhooks`,
    )
    .addCommand(deadLettersCommand())
    .addCommand(redeliverCommand())
    .action(async () => {
      await runProcess('webhooks', start);
    });
}

async function start({ config, log, metrics }: ProcessParts): Promise<RunningProcess> {
  const url = requireRedis(config);
  if (!hasWebhooks(config)) {
    throw new ConfigError([
      'webhooks: required here, in the file that HUBBUB_CONFIG names; docs/webhooks.md has an example',
    ]);
  }
  const brokerClient = openConfiguredBrokerClient(url, config, log, metrics);
  const webhooks = startWebhooks({ config, log, metrics, brokerClient });
  // Client events and lifecycle events are on the Redis of the registry.
  const watch = new RedisWatch(() => brokerClient.online.total(), {
    intervalMs: config.probeIntervalMs,
    timeoutMs: config.probeTimeoutMs,
  });
  return {
    readiness: () => ({
      ready: watch.answers,
      checks: { redis: watch.describe(), streams: `reads ${webhooks.leading} of ${webhooks.streams}` },
    }),
    async close() {
      watch.stop();
      await webhooks.close();
      await brokerClient.close();
    },
  };
}
