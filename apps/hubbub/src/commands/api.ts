/** hubbub api: one process of the HTTP API for back ends that have no Redis access. */
import { openRedisKeyClaims, startApi } from '@hubbub/api';
import { ConfigError } from '@hubbub/config';
import { Command } from 'commander';
import { openMint } from '../mint-token.js';
import { type ProcessParts, type RunningProcess, runProcess } from '../process.js';
import { logRedisFailures, openConfiguredBrokerClient, redisConnection, requireRedis } from '../redis.js';

export function apiCommand(): Command {
  return new Command('api')
    .description('Runs the HTTP API for back ends without Redis access. Needs HUBBUB_REDIS_URL and HUBBUB_API_KEYS.')
    .addHelpText(
      'after',
      `
It listens on HUBBUB_API_HOST and HUBBUB_API_PORT (127.0.0.1:8082); GET /openapi.json describes it. HUBBUB_ADMIN_PORT
(8081) has /readyz and /metrics: choose another one where that is taken. Rosters are asked of presence, at its admin
address HUBBUB_PRESENCE_URL with the first of HUBBUB_PRESENCE_API_KEYS. HUBBUB_API_TOKENS=true has it mint tokens.

Examples:
  $ HUBBUB_REDIS_URL=redis://127.0.0.1:6379 HUBBUB_API_KEYS=a-key HUBBUB_ADMIN_PORT=9103 hubbub api
  $ curl http://127.0.0.1:8082/rooms/general/messages -H 'Authorization: Bearer a-key' \\
      -H 'Content-Type: application/json' -d '{"type":"build.finished","payload":{"ok":true}}'`,
    )
    .action(async () => {
      await runProcess('api', start);
    });
}

async function start(parts: ProcessParts): Promise<RunningProcess> {
  const { config, log, metrics } = parts;
  const url = requireRedis(config);
  if (config.apiTokens && openMint(config) === undefined) {
    throw new ConfigError(['HUBBUB_JWT_SECRET: required by HUBBUB_API_TOKENS']);
  }
  const brokerClient = openConfiguredBrokerClient(url, config, log, metrics);
  const claims = openRedisKeyClaims(url, {
    prefix: config.redisPrefix,
    ...redisConnection(config),
    onError: logRedisFailures(log, metrics),
  });
  const api = await startApi({ ...parts, brokerClient, claims });
  return {
    port: api.port,
    readiness: api.readiness,
    async close() {
      await api.close();
      claims.close();
      await brokerClient.close();
    },
  };
}
