/** A hub inside your own program: edge and presence in memory, and the server SDK on the same brokerClient. No Redis, one process. */
import { randomBytes } from 'node:crypto';
import { MemoryCluster } from '@hubbub/broker';
import { ConfigError, hasWebhooks, loadConfig } from '@hubbub/config';
import { startEdge } from '@hubbub/edge';
import type { Readiness } from '@hubbub/runtime';
import { startAdminServer } from '@hubbub/runtime/http';
import { createHubbub, type Hubbub } from '@hubbub/server';
import { startMemoryPresence } from './presence.js';
import { adminOptions, createParts } from './process.js';

export interface EmbeddedHub {
  /** For clients: `ws://127.0.0.1:<port>/ws`. */
  readonly port: number;
  /** /healthz, /readyz, /metrics, and presence's HTTP interface. */
  readonly adminPort: number;
  /** The server SDK, as `connectHubbub` returns it in a cluster. */
  readonly hubbub: Hubbub;
  readiness(): Readiness;
  /** Sends the sessions away, then ends everything. */
  close(): Promise<void>;
}

/**
 * Starts a hub in this process. Its settings are those of `hubbub start`, given as variables and not read from the
 * environment: so two hubs of one program do not share them.
 * @throws {ConfigError} with every problem of the settings.
 * @example
 * const hub = await startEmbeddedHub({ HUBBUB_PORT: '0', HUBBUB_ADMIN_PORT: '0', HUBBUB_CONFIG: 'hub.yaml' });
 * hub.hubbub.onEvents('game', { group: 'referee' }, event => event.reply({ type: 'seen' }));
 */
export async function startEmbeddedHub(variables: Readonly<Record<string, string>>): Promise<EmbeddedHub> {
  const ownKey = randomBytes(24).toString('base64url');
  const given = loadConfig(variables);
  if (hasWebhooks(given)) {
    throw new ConfigError([
      'webhooks: a hub inside a program sends none; use onEvents and onLifecycle of its `hubbub`',
    ]);
  }
  const config = { ...given, presenceApiKeys: [...given.presenceApiKeys, ownKey] };
  const parts = await createParts('hubbub', config);
  const { log, metrics, tracing } = parts;
  const cluster = new MemoryCluster({ leaseMs: config.nodeLeaseMs, maxRevocations: config.maxRevocations });
  const brokerClient = cluster.open();
  const presence = startMemoryPresence(cluster, brokerClient, parts);
  const edge = await startEdge({ ...parts, brokerClient });
  const admin = await startAdminServer({
    ...adminOptions(config, log),
    metrics,
    readiness: edge.readiness,
    routes: presence.routes,
  });
  // A broker has one listener, and the edge has that of the other.
  const serviceClient = cluster.open();
  const hubbub = createHubbub(serviceClient, {
    redisPrefix: config.redisPrefix,
    presence: { url: `http://${config.adminHost}:${admin.port}`, apiKey: ownKey },
  });
  return {
    port: edge.port,
    adminPort: admin.port,
    hubbub,
    readiness: edge.readiness,
    async close() {
      await hubbub.close();
      await edge.close(false);
      await presence.close();
      await admin.close();
      await serviceClient.close();
      await brokerClient.close();
      await tracing.close();
    },
  };
}
