/** docs/upgrading.md, in its order: presence, then edges, one after the other, under a stream of numbered messages. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { startCluster } from '../support/cluster.js';
import { replacementEnvironment, startReplacementStory } from '../upgrade/replacement-story.js';

const page = readFileSync(fileURLToPath(new URL('../../docs/upgrading.md', import.meta.url)), 'utf8');

test('a whole cluster is replaced: every message arrives once and in order, and no user leaves', async () => {
  const cluster = await startCluster({ edges: 2, presence: 2, env: replacementEnvironment() });
  const story = await startReplacementStory(cluster, cluster.edges);

  for (const old of cluster.presence.slice(0, 2)) {
    await cluster.addPresence();
    expect(await old.kill('SIGTERM')).toMatchObject({ code: 0 });
    await story.messagesFlow();
  }
  for (const old of cluster.edges.slice(0, 2)) {
    const fresh = await cluster.addEdge();
    for (const network of story.networks) network.retarget(fresh.process.port);
    expect(await old.process.kill('SIGTERM')).toMatchObject({ code: 0 });
    await story.messagesFlow();
  }

  await story.expectNoLoss();
}, 120_000);

test('the page names settings and metrics that exist', () => {
  const documented = ['settings', 'metrics'].map(name =>
    readFileSync(fileURLToPath(new URL(`../../docs/${name}.md`, import.meta.url)), 'utf8'),
  );
  const named = [...page.matchAll(/`((?:HUBBUB|hubbub)_[A-Za-z_]+)`/g)].map(([, name = '']) => name);
  expect(named.length).toBeGreaterThan(15);
  expect(named.filter(name => !documented.some(text => text.includes(`\`${name}\``)))).toEqual([]);
});
