/** The hub of an example as a cluster: Redis, presence and two edges, each a process. */
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Example, exampleFile } from '../service/example.js';
import { EXAMPLE_SECRET } from '../service/settings.js';
import { type Child, openRedis, startChild } from './processes.js';

const EDGES = 2;

export interface ExampleCluster {
  /** For the service's process. */
  readonly variables: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export async function startCluster(
  example: Example,
  serviceUrl: string,
  host: string,
  redisUrl: string | undefined,
): Promise<ExampleCluster> {
  const redis = await openRedis(redisUrl);
  const apiKey = randomBytes(24).toString('base64url');
  const variables = {
    HUBBUB_REDIS_URL: redis.url,
    HUBBUB_REDIS_PREFIX: `example-${example.name}`,
    HUBBUB_JWT_SECRET: EXAMPLE_SECRET,
    HUBBUB_LOG_LEVEL: 'info',
    HUBBUB_HOST: host,
    HUBBUB_PORT: '0',
    HUBBUB_ADMIN_PORT: '0',
    HUBBUB_PRESENCE_API_KEYS: apiKey,
    HUBBUB_CONFIG: exampleFile(example.name, 'hub.yaml'),
    ...example.hubVariables?.(serviceUrl),
  };
  const children: Child[] = [];
  const start = async (command: string): Promise<Child> => {
    const child = await startChild([hubbubCommand(), command], variables);
    children.push(child);
    return child;
  };
  const close = async (): Promise<void> => {
    await Promise.all(children.map(child => child.close()));
    await redis.close();
  };
  try {
    const presence = await start('presence');
    const edges = await Promise.all(Array.from({ length: EDGES }, () => start('edge')));
    return {
      variables: {
        HUBBUB_REDIS_URL: redis.url,
        HUBBUB_REDIS_PREFIX: variables.HUBBUB_REDIS_PREFIX,
        HUBBUB_JWT_SECRET: EXAMPLE_SECRET,
        EXAMPLE_EDGES: edges.map(({ listening }) => `ws://127.0.0.1:${listening.port}`).join(','),
        EXAMPLE_PRESENCE_URL: `http://127.0.0.1:${presence.listening.adminPort}`,
        EXAMPLE_PRESENCE_API_KEY: apiKey,
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function hubbubCommand(): string {
  const entry = createRequire(import.meta.url).resolve('@hubbub/cli/embedded');
  return join(dirname(entry), '..', 'bin', 'hubbub.mjs');
}
