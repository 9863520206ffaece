/** A cluster with everything that has metrics: edges with authorizer, key set and client events, presence, and the HTTP API. */

import { TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { type AuthorizerDouble, startAuthorizer } from '../../admission/authorizer-double.js';
import { type ApiProcess, PRESENCE_KEY, startApi } from '../../api/api-process.js';
import { withConfigFile } from '../../presence/config-file.js';
import { type Environment, startCluster, type TestCluster } from '../../support/cluster.js';
import { jwk, keyPair } from '../../support/jwt.js';
import { startKeyServer } from '../../support/key-server.js';
import { startProcess, type TestProcess } from '../../support/process.js';
import { startRedis, type TestRedis } from '../../support/redis.js';
import { SECRET, startReceiver } from '../../webhooks/receiver.js';

const NAMESPACES = {
  default: {},
  club: { public: true, authorize: ['join'] },
  game: { public: true, events: ['move'] },
  kept: { public: true, historySize: 200 },
  prices: { public: true, conflate: true },
};

/** Nothing is sampled: the address is never asked. */
const TRACES = { HUBBUB_OTLP_URL: 'http://127.0.0.1:4318', HUBBUB_TRACE_RATIO: '0' };

export interface WholeCluster {
  readonly cluster: TestCluster;
  readonly api: ApiProcess;
  readonly authorizer: AuthorizerDouble;
  readonly webhooks: TestProcess;
}

export async function startWholeCluster({ edges, env }: { edges: number; env?: Environment }): Promise<WholeCluster> {
  const redis = await startRedis({ args: ['--maxmemory', '200mb', '--maxmemory-policy', 'noeviction'] });
  const authorizer = await startAuthorizer();
  const keys = await startKeyServer([jwk(keyPair('P-256'), { kid: 'k1' })]);
  const receiver = await startReceiver();
  const shop = { url: receiver.url, secrets: [SECRET], events: ['*'], lifecycle: ['*'] };
  const file = withConfigFile({ namespaces: NAMESPACES, webhooks: { shop } });
  const shared = { ...file, HUBBUB_AUTHORIZER_URL: authorizer.url, ...TRACES };
  const cluster = await startCluster({
    edges,
    redis,
    env: { ...shared, HUBBUB_JWT_JWKS_URL: keys.url, HUBBUB_PRESENCE_API_KEYS: PRESENCE_KEY, ...env },
  });
  const api = await startApi(cluster, { env: shared });
  const webhooks = await startProcess(['webhooks'], {
    name: 'webhooks',
    env: {
      ...{ HUBBUB_ADMIN_PORT: '0', HUBBUB_REDIS_URL: redis.url, HUBBUB_REDIS_PREFIX: redis.prefix },
      ...{ ...shared, ...env },
    },
  });
  return { cluster, api, authorizer, webhooks };
}

/** Two workers on one port, with one admin port for both. */
export async function startWorkers(redis: TestRedis): Promise<TestProcess> {
  return await startProcess(['edge', '--workers', '2'], {
    name: 'workers',
    env: {
      HUBBUB_HOST: '127.0.0.1',
      HUBBUB_PORT: '0',
      HUBBUB_ADMIN_PORT: '0',
      HUBBUB_JWT_SECRET: TEST_JWT_SECRET,
      HUBBUB_REDIS_URL: redis.url,
      HUBBUB_REDIS_PREFIX: redis.prefix,
      ...TRACES,
    },
  });
}
