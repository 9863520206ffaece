/** Processes of the previous release beside new ones, through an upgrade and a rollback, under a stream of numbered messages. */
import { HubbubClient } from '@hubbub/client';
import {
  type Edge,
  edgeOf,
  eventually,
  FREE_PORTS,
  type HubbubProcess,
  readMetrics,
  TEST_JWT_SECRET,
} from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { historyEnvironment, NumberedStream } from '../faults/numbered-stream.js';
import { cleanup } from '../support/cleanup.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { startProcess } from '../support/process.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { unpackPreviousRelease } from './previous-release.js';

const ROOMS = ['kept:red', 'kept:blue'];
const MALFORMED = ['hubbub_edge_malformed_envelopes_total', 'hubbub_presence_malformed_reports_total'];

type Release = 'previous' | 'new';

/** Starts edges and presence of either release in one cluster. */
async function startMixedCluster() {
  const env = { ...historyEnvironment(), HUBBUB_DRAIN_WINDOW_MS: '2000' };
  const previous = unpackPreviousRelease();
  const cluster: TestCluster = await startCluster({ edges: 0, presence: 0, env });
  const started: HubbubProcess[] = [];
  const start = async (role: string, release: Release): Promise<HubbubProcess> => {
    const name = `${role}-${started.length + 1}-${release}`;
    const process = await startProcess([role], {
      name,
      env: {
        ...FREE_PORTS,
        ...env,
        HUBBUB_JWT_SECRET: TEST_JWT_SECRET,
        HUBBUB_REDIS_URL: cluster.redis.url,
        HUBBUB_REDIS_PREFIX: cluster.redis.prefix,
        HUBBUB_NODE_ID: name,
      },
      ...(release === 'previous' && { script: previous }),
    });
    started.push(process);
    return process;
  };
  const startEdge = async (release: Release): Promise<Edge> => {
    const process = await start('edge', release);
    return edgeOf(process.name, process);
  };
  return { cluster, started, startEdge, startPresence: (release: Release) => start('presence', release) };
}

/** No process could not read what another one wrote. */
async function expectNothingMalformed(processes: readonly HubbubProcess[]): Promise<void> {
  for (const process of processes) {
    const metrics = await readMetrics(process);
    for (const name of MALFORMED) expect([process.name, name, metrics.get(name) ?? 0]).toEqual([process.name, name, 0]);
  }
}

test('an upgrade and a rollback: every message arrives once and in order, and no user leaves', async () => {
  const { cluster, started, startEdge, startPresence } = await startMixedCluster();
  let presence = [await startPresence('previous'), await startPresence('previous')];
  let edges = [await startEdge('previous'), await startEdge('previous')];
  const networks = await Promise.all(edges.map(({ process }) => startTcpProxy({ to: process.port })));
  const urls = networks.map(({ port }) => `ws://127.0.0.1:${port}/ws`);
  const members = urls.flatMap((url, edge) => [1, 2, 3].map(n => ({ name: `member-${edge + 1}-${n}`, url })));
  const stream = await NumberedStream.start(cluster, {
    rooms: ROOMS,
    members,
    publisherUrl: urls[0] ?? '',
    everyMs: 25,
  });
  const witness = new HubbubClient({ url: urls[1] ?? '', token: cluster.token({ user: 'witness' }) });
  cleanup(() => witness.close());
  const left: string[] = [];
  const room = witness.room('kept:red');
  room.on('user_left', ({ payload }) => left.push(payload.user.id));
  await witness.connect();
  await room.join();
  await eventually(() => room.roster.count === members.length + 2, { describe: 'all are in the roster' });

  const living = (): HubbubProcess[] => started.filter(process => !ended.has(process));
  const ended = new Set<HubbubProcess>();
  const stop = async (process: HubbubProcess): Promise<void> => {
    await expectNothingMalformed(living());
    ended.add(process);
    expect(await process.kill('SIGTERM')).toMatchObject({ code: 0 });
    await stream.flows(20);
  };
  const replacePresence = async (release: Release): Promise<void> => {
    const fresh: HubbubProcess[] = [];
    for (const old of presence) {
      fresh.push(await startPresence(release));
      await stop(old);
    }
    presence = fresh;
  };
  const replaceEdges = async (release: Release): Promise<void> => {
    const fresh: Edge[] = [];
    for (const [index, old] of edges.entries()) {
      const edge = await startEdge(release);
      fresh.push(edge);
      // The clients of the other edge stay there: both releases serve side by side.
      networks[index]?.retarget(edge.process.port);
      await stop(old.process);
    }
    edges = fresh;
  };

  await replacePresence('new');
  await replaceEdges('new');
  await replaceEdges('previous');
  await replacePresence('previous');

  await expectNothingMalformed(living());
  await stream.end();
  expect(stream.violations()).toEqual([]);
  expect(stream.gaps()).toEqual([]);
  expect(ROOMS.map(name => stream.lost(name))).toEqual([0, 0]);
  expect(stream.refused).toEqual([]);
  expect(left).toEqual([]);
  expect(room.roster.count).toBe(members.length + 2);
}, 240_000);
