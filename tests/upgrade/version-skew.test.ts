/** Processes of the previous release beside new ones, through an upgrade and a rollback, under a stream of numbered messages. */
import type { Edge, HubbubProcess } from '@hubbub/tools/kit';
import { test } from 'vitest';
import { type Release, startMixedCluster } from './mixed-cluster.js';
import { replacementEnvironment, startReplacementStory } from './replacement-story.js';

test('an upgrade and a rollback: every message arrives once and in order, and no user leaves', async () => {
  const mixed = await startMixedCluster(replacementEnvironment());
  const { cluster, startEdge, startPresence } = mixed;
  let presence = [await startPresence('previous'), await startPresence('previous')];
  let edges = [await startEdge('previous'), await startEdge('previous')];
  const story = await startReplacementStory(cluster, edges);

  const stop = async (process: HubbubProcess): Promise<void> => {
    await mixed.stop(process);
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

  await mixed.expectNothingUnread();
  await story.expectNoLoss();
}, 240_000);
