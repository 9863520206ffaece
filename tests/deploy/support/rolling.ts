/** Edges behind a proxy that are replaced one at a time, under a stream of numbered messages. */
import { HubbubClient } from '@hubbub/client';
import { eventually } from '@hubbub/tools/kit';
import { expect } from 'vitest';
import { historyEnvironment, NumberedStream } from '../../faults/numbered-stream.js';
import { cleanup } from '../../support/cleanup.js';
import { startCluster, type TestCluster, type TestEdge } from '../../support/cluster.js';
import { connect, type RawClient } from '../../support/raw-client.js';
import { ownPort, type RunningProxy, type Upstream, type Upstreams } from './proxy.js';

export const ROOMS = ['kept:red', 'kept:blue'];
const MEMBERS = 12;

/**
 * Two edges on fixed ports, as in production.
 * An edge on any free port (port 0) could not bind it again within a minute: the engine sets SO_REUSEADDR only for fixed ports.
 *
 * @param env of all processes
 */
export async function startTwoEdges(env: Readonly<Record<string, string>>): Promise<TestCluster> {
  const settings = { ...historyEnvironment(), HUBBUB_DRAIN_WINDOW_MS: '3000', ...env };
  const cluster = await startCluster({ edges: 0, env: settings });
  for (const nodeId of ['edge-1', 'edge-2']) {
    await cluster.addEdge({ nodeId, env: { HUBBUB_PORT: String(await ownPort()) } });
  }
  return cluster;
}

export function upstreamOf({ process }: TestEdge): Upstream {
  return { port: process.port, adminPort: process.adminPort };
}

export function upstreamsOf(cluster: TestCluster): Upstreams {
  return [upstreamOf(cluster.edge(0)), upstreamOf(cluster.edge(1))];
}

/** Members and publisher all connect through the proxy. */
export function streamThrough(cluster: TestCluster, proxy: RunningProxy): Promise<NumberedStream> {
  return NumberedStream.start(cluster, {
    rooms: ROOMS,
    members: Array.from({ length: MEMBERS }, (_, index) => ({ name: `member-${index + 1}`, url: proxy.wsUrl })),
    publisherUrl: proxy.wsUrl,
    // Below the rate limit of one session.
    everyMs: 25,
  });
}

/** A client with the reconnect delays that the SDK has by default. */
export interface CrowdClient {
  /** Resolves with the time of its next session, in ms of `performance.now()`. */
  returned(): Promise<number>;
}

export async function crowdThrough(cluster: TestCluster, proxy: RunningProxy, count: number): Promise<CrowdClient[]> {
  return await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const token = () => cluster.token({ user: `crowd-${index}` });
      const client = new HubbubClient({ url: proxy.wsUrl, token });
      cleanup(() => client.close());
      let returnedAtMs: number | undefined;
      await client.connect();
      client.on('state', ({ state }) => {
        if (state === 'open') returnedAtMs = performance.now();
      });
      return {
        returned: () => eventually(() => returnedAtMs, { withinMs: 60_000, describe: 'the client returns' }),
      };
    }),
  );
}

/** Verifies that no client lost, doubled or reordered a message or got a gap, and that the publisher was never refused. */
export async function nothingHappened(stream: NumberedStream): Promise<void> {
  await stream.flows(20);
  await stream.end();
  expect(stream.violations()).toEqual([]);
  expect(stream.gaps()).toEqual([]);
  expect(ROOMS.map(room => stream.lost(room))).toEqual([0, 0]);
  expect(stream.refused).toEqual([]);
}

/** Restarts the edge on the ports that the proxy knows. */
export function startAgain(cluster: TestCluster, { nodeId, process }: TestEdge): Promise<TestEdge> {
  const env = { HUBBUB_PORT: String(process.port), HUBBUB_ADMIN_PORT: String(process.adminPort) };
  return cluster.addEdge({ nodeId, env });
}

export async function sessionsOn({ adminUrl }: TestEdge): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  return Number(/^hubbub_edge_sessions (\d+)$/m.exec(text)?.[1]);
}

/** Opens new sessions through the proxy, one after the other. */
export async function newcomers(cluster: TestCluster, proxy: RunningProxy, count: number): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  for (let number = 1; number <= count; number++) {
    const client = await connect(proxy.wsUrl, {
      token: cluster.token({ user: `newcomer-${number}` }),
      tokenIn: 'query',
    });
    await client.nextFrame('welcome');
    clients.push(client);
  }
  return clients;
}
