/** Processes of the previous release beside new ones, through an upgrade and a rollback, under a stream of numbered messages. */
import { type Edge, edgeOf, FREE_PORTS, type HubbubProcess, readMetrics, TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { startProcess } from '../support/process.js';
import { unpackPreviousRelease } from './previous-release.js';
import { replacementEnvironment, startReplacementStory } from './replacement-story.js';

const MALFORMED = ['hubbub_edge_malformed_envelopes_total', 'hubbub_presence_malformed_reports_total'];

type Release = 'previous' | 'new';

/** Starts edges and presence of either release in one cluster. */
async function startMixedCluster() {
  const env = replacementEnvironment();
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

/** Every process could read what the others wrote. */
async function expectNothingMalformed(processes: readonly HubbubProcess[]): Promise<void> {
  for (const process of processes) {
    const metrics = await readMetrics(process);
    const counts = MALFORMED.map(name => metrics.get(name)).filter(count => count !== undefined);
    expect(counts, process.name).toEqual([0]);
  }
}

test('an upgrade and a rollback: every message arrives once and in order, and no user leaves', async () => {
  const { cluster, started, startEdge, startPresence } = await startMixedCluster();
  let presence = [await startPresence('previous'), await startPresence('previous')];
  let edges = [await startEdge('previous'), await startEdge('previous')];
  const story = await startReplacementStory(cluster, edges);

  const living = (): HubbubProcess[] => started.filter(process => !ended.has(process));
  const ended = new Set<HubbubProcess>();
  const stop = async (process: HubbubProcess): Promise<void> => {
    await expectNothingMalformed(living());
    ended.add(process);
    expect(await process.kill('SIGTERM')).toMatchObject({ code: 0 });
    await story.messagesFlow();
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
      story.networks[index]?.retarget(edge.process.port);
      await stop(old.process);
    }
    edges = fresh;
  };

  await replacePresence('new');
  await replaceEdges('new');
  await replaceEdges('previous');
  await replacePresence('previous');

  await expectNothingMalformed(living());
  await story.expectNoLoss();
}, 240_000);
