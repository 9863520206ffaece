/** A cluster of the kit on a real Redis, or one process on the memory broker, with the same interface. */
import {
  type Cluster,
  type Edge,
  type Environment,
  edgeOf,
  FREE_PORTS,
  nth,
  signToken,
  startHubbubCluster,
  TEST_JWT_SECRET,
  type TokenRequest,
} from '@hubbub/tools/kit';
import { startProcess } from './process.js';
import { startRedis, type TestRedis } from './redis.js';

export type { Edge as TestEdge, Environment } from '@hubbub/tools/kit';

export interface TestCluster extends Omit<Cluster, 'end'> {
  /** @throws {Error} on the memory broker, which has no Redis. */
  readonly redis: TestRedis;
  token(request: TokenRequest): string;
  /** Optional: every part stops with the test, or with the file if started in `beforeAll`. */
  stop(): Promise<void>;
}

export interface StartClusterOptions {
  /** Default 2. */
  readonly edges?: number;
  /** Default 1. */
  readonly presence?: number;
  /** A Redis to share with the test; else the cluster starts its own. */
  readonly redis?: TestRedis;
  /** Settings of all processes; they override those of the kit. */
  readonly env?: Environment;
}

/**
 * Starts Redis, presence and edges; resolves when all are ready.
 *
 * @example
 * const cluster = await startCluster({ edges: 2 });
 * const alice = await connect(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'alice' }) });
 */
export async function startCluster(options: StartClusterOptions = {}): Promise<TestCluster> {
  const redis = options.redis ?? (await startRedis());
  const { end, ...cluster } = await startHubbubCluster({
    edges: options.edges ?? 2,
    presence: options.presence ?? 1,
    env: {
      HUBBUB_JWT_SECRET: TEST_JWT_SECRET,
      HUBBUB_REDIS_URL: redis.url,
      HUBBUB_REDIS_PREFIX: redis.prefix,
      ...options.env,
    },
    start: startProcess,
  });
  return {
    ...cluster,
    redis,
    token: signToken,
    async stop() {
      await end('stop');
      await redis.stop();
    },
  };
}

/** `hubbub start` on the memory broker: one edge and presence in one process, without Redis. */
export async function startEmbedded({ env }: { readonly env?: Environment } = {}): Promise<TestCluster> {
  const nodeId = 'embedded';
  const settings = {
    ...FREE_PORTS,
    HUBBUB_JWT_SECRET: TEST_JWT_SECRET,
    HUBBUB_NODE_ID: nodeId,
    ...env,
  };
  const edge: Edge = edgeOf(nodeId, await startProcess(['start'], { name: nodeId, env: settings }));
  const onlyOne = async () => {
    throw new Error('The embedded cluster is one process: use startCluster for more.');
  };
  return {
    edges: [edge],
    presence: [edge.process],
    get redis(): never {
      throw new Error('The embedded cluster has no Redis.');
    },
    edge: index => nth([edge], index),
    token: signToken,
    addEdge: onlyOne,
    addPresence: onlyOne,
    stop: () => edge.process.stop(),
  };
}
