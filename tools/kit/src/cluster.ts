/** A cluster of real processes on one Redis: presence and edges, each on free ports of 127.0.0.1. */
import { type HubbubProcess, type StartHubbubOptions, startHubbub } from './hubbub.js';

export type Environment = Readonly<Record<string, string>>;

export interface Edge {
  readonly nodeId: string;
  /** `ws://…/ws` */
  readonly wsUrl: string;
  /** `http://…`, the port for clients. */
  readonly httpUrl: string;
  /** `http://…`: /healthz, /readyz, /metrics. */
  readonly adminUrl: string;
  readonly process: HubbubProcess;
  /** `ws://…/rooms/{room}/ws` */
  roomUrl(room: string): string;
  /** `ws://…{path}`, for custom paths of an application. */
  socketUrl(path: string): string;
}

export interface ClusterOptions {
  readonly edges: number;
  readonly presence: number;
  /** Settings of all processes, such as those of Redis. */
  readonly env: Environment;
  /** Further options of the processes of each kind. */
  readonly edgeOptions?: StartHubbubOptions;
  readonly presenceOptions?: StartHubbubOptions;
  /** Edges that start simultaneously. Default: all. */
  readonly startingAtOnce?: number;
  /** Default: `startHubbub`. */
  readonly start?: typeof startHubbub;
}

export interface Cluster {
  readonly edges: readonly Edge[];
  readonly presence: readonly HubbubProcess[];
  /** The edge at `index`. @throws {Error} if there is no such edge. */
  edge(index: number): Edge;
  /** Starts another edge, as a deployment does. `nodeId` may be a former one. */
  addEdge(options?: { readonly nodeId?: string; readonly env?: Environment }): Promise<Edge>;
  addPresence(options?: { readonly env?: Environment }): Promise<HubbubProcess>;
  /** Ends all processes with the same method. */
  end(method: 'stop' | 'terminate' | 'kill'): Promise<void>;
}

/** Any free ports of 127.0.0.1. */
export const FREE_PORTS: Environment = { HUBBUB_HOST: '127.0.0.1', HUBBUB_PORT: '0', HUBBUB_ADMIN_PORT: '0' };

/** Starts presence, then the edges; resolves when all are ready. */
export async function startHubbubCluster(options: ClusterOptions): Promise<Cluster> {
  const { env: common, edgeOptions = {}, presenceOptions = {}, start = startHubbub } = options;
  const { startingAtOnce = options.edges } = options;
  const edges: Edge[] = [];
  const presence: HubbubProcess[] = [];
  const startAny = (role: string, name: string, own: StartHubbubOptions, env: Environment = {}) =>
    start([role], { name, ...own, env: { ...FREE_PORTS, ...common, HUBBUB_NODE_ID: name, ...own.env, ...env } });
  const newEdge = async (nodeId: string, env?: Environment) =>
    edgeOf(nodeId, await startAny('edge', nodeId, edgeOptions, env));
  const newPresence = (name: string, env?: Environment) => startAny('presence', name, presenceOptions, env);

  // Presence first: when it finds an empty registry it fences the living edges, and reports count again only 2 s later.
  presence.push(...(await Promise.all(names('presence', options.presence).map(name => newPresence(name)))));
  const edgeNames = names('edge', options.edges);
  while (edgeNames.length > 0) {
    edges.push(...(await Promise.all(edgeNames.splice(0, startingAtOnce).map(nodeId => newEdge(nodeId)))));
  }
  return {
    edges,
    presence,
    edge: index => nth(edges, index),
    async addEdge({ nodeId = `edge-${edges.length + 1}`, env } = {}) {
      const edge = await newEdge(nodeId, env);
      edges.push(edge);
      return edge;
    },
    async addPresence({ env } = {}) {
      const added = await newPresence(`presence-${presence.length + 1}`, env);
      presence.push(added);
      return added;
    },
    async end(method) {
      await Promise.all([...edges.map(edge => edge.process), ...presence].map(part => part[method]()));
    },
  };
}

export function edgeOf(nodeId: string, process: HubbubProcess): Edge {
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

export function nth<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new Error(`There is no number ${index} of ${list.length}.`);
  return item;
}
