/** A cluster of real processes on a real Redis, or one process on the memory broker, with the same interface. */
import { startProcess, type TestProcess } from './process.js';
import { startRedis, type TestRedis } from './redis.js';
import { signToken, TEST_JWT_SECRET, type TokenRequest } from './tokens.js';

export interface TestEdge {
  readonly nodeId: string;
  /** `ws://…/ws` */
  readonly wsUrl: string;
  /** `http://…`, the port for clients. */
  readonly httpUrl: string;
  /** `http://…`: /healthz, /readyz, /metrics. */
  readonly adminUrl: string;
  readonly process: TestProcess;
  /** `ws://…/rooms/{room}/ws` */
  roomUrl(room: string): string;
  /** `ws://…{path}`, for custom paths of an application. */
  socketUrl(path: string): string;
}

export interface TestCluster {
  readonly edges: readonly TestEdge[];
  /** Processes of the presence service, or the embedded process. */
  readonly presence: readonly TestProcess[];
  /** @throws {Error} on the memory broker, which has no Redis. */
  readonly redis: TestRedis;
  /** The edge at `index`. @throws {Error} if there is no such edge. */
  edge(index: number): TestEdge;
  token(request: TokenRequest): string;
  /** Starts another edge, as a deployment does. `nodeId` may be a former one. */
  addEdge(options?: { readonly nodeId?: string; readonly env?: Environment }): Promise<TestEdge>;
  addPresence(options?: { readonly env?: Environment }): Promise<TestProcess>;
  /** Optional: every part stops with the test, or with the file if started in `beforeAll`. */
  stop(): Promise<void>;
}

export type Environment = Readonly<Record<string, string>>;

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

const FREE_PORTS: Environment = {
  HUBBUB_HOST: '127.0.0.1',
  HUBBUB_PORT: '0',
  HUBBUB_ADMIN_PORT: '0',
  HUBBUB_JWT_SECRET: TEST_JWT_SECRET,
};

/**
 * Starts Redis, presence and edges; resolves when all are ready.
 *
 * @example
 * const cluster = await startCluster({ edges: 2 });
 * const alice = await connect(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'alice' }) });
 */
export async function startCluster(options: StartClusterOptions = {}): Promise<TestCluster> {
  const redis = options.redis ?? (await startRedis());
  const onRedis: Environment = {
    ...FREE_PORTS,
    HUBBUB_REDIS_URL: redis.url,
    HUBBUB_REDIS_PREFIX: redis.prefix,
    ...options.env,
  };
  const newEdge = (nodeId: string, env?: Environment) => startEdge('edge', nodeId, { ...onRedis, ...env });
  const newPresence = (name: string, env?: Environment) =>
    startProcess(['presence'], { name, env: { ...onRedis, HUBBUB_NODE_ID: name, ...env } });

  // Presence first: when it finds an empty registry it fences the living edges, and reports count again only 2 s later.
  const presence = await Promise.all(names('presence', options.presence ?? 1).map(name => newPresence(name)));
  const edges = await Promise.all(names('edge', options.edges ?? 2).map(nodeId => newEdge(nodeId)));
  return {
    edges,
    presence,
    redis,
    edge: index => nth(edges, index),
    token: signToken,
    async addEdge({ nodeId = `edge-${edges.length + 1}`, env } = {}) {
      const edge = await newEdge(nodeId, env);
      edges.push(edge);
      return edge;
    },
    async addPresence({ env } = {}) {
      const process = await newPresence(`presence-${presence.length + 1}`, env);
      presence.push(process);
      return process;
    },
    async stop() {
      await Promise.all([...edges.map(edge => edge.process), ...presence].map(process => process.stop()));
      await redis.stop();
    },
  };
}

/** `hubbub start` on the memory broker: one edge and presence in one process, without Redis. */
export async function startEmbedded({ env }: { readonly env?: Environment } = {}): Promise<TestCluster> {
  const edge = await startEdge('start', 'embedded', { ...FREE_PORTS, ...env });
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

async function startEdge(command: 'edge' | 'start', nodeId: string, env: Environment): Promise<TestEdge> {
  const process = await startProcess([command], { name: nodeId, env: { HUBBUB_NODE_ID: nodeId, ...env } });
  const authority = `127.0.0.1:${process.port}`;
  return {
    nodeId,
    wsUrl: `ws://${authority}/ws`,
    httpUrl: `http://${authority}`,
    adminUrl: process.adminUrl,
    process,
    roomUrl: room => `ws://${authority}/rooms/${encodeURIComponent(room)}/ws`,
    socketUrl: path => `ws://${authority}${path}`,
  };
}

/** `edge-1`, `edge-2`, … */
function names(kind: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${kind}-${index + 1}`);
}

function nth<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new Error(`There is no number ${index} of ${list.length}.`);
  return item;
}
