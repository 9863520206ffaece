/** docs/upgrading.md, in its order: presence, then edges, one after the other, under a stream of numbered messages. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { HubbubClient } from '@hubbub/client';
import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { historyEnvironment, NumberedStream } from '../faults/numbered-stream.js';
import { cleanup } from '../support/cleanup.js';
import { startCluster } from '../support/cluster.js';
import { startTcpProxy } from '../support/tcp-proxy.js';

const ROOMS = ['kept:red', 'kept:blue'];
const page = readFileSync(fileURLToPath(new URL('../../docs/upgrading.md', import.meta.url)), 'utf8');

test('a whole cluster is replaced: every message arrives once and in order, and no user leaves', async () => {
  const env = { ...historyEnvironment(), HUBBUB_DRAIN_WINDOW_MS: '2000' };
  const cluster = await startCluster({ edges: 2, presence: 2, env });
  const networks = await Promise.all(cluster.edges.map(({ process }) => startTcpProxy({ to: process.port })));
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

  for (const old of cluster.presence.slice(0, 2)) {
    await cluster.addPresence();
    expect(await old.kill('SIGTERM')).toMatchObject({ code: 0 });
    await stream.flows(20);
  }
  for (const old of cluster.edges.slice(0, 2)) {
    const fresh = await cluster.addEdge();
    for (const network of networks) network.retarget(fresh.process.port);
    expect(await old.process.kill('SIGTERM')).toMatchObject({ code: 0 });
    await stream.flows(20);
  }

  await stream.end();
  expect(stream.violations()).toEqual([]);
  expect(stream.gaps()).toEqual([]);
  expect(ROOMS.map(room => stream.lost(room))).toEqual([0, 0]);
  expect(stream.refused).toEqual([]);
  expect(left).toEqual([]);
  expect(room.roster.count).toBe(members.length + 2);
}, 120_000);

test('the page names settings and metrics that exist', () => {
  const documented = ['settings', 'metrics'].map(name =>
    readFileSync(fileURLToPath(new URL(`../../docs/${name}.md`, import.meta.url)), 'utf8'),
  );
  const named = [...page.matchAll(/`((?:HUBBUB|hubbub)_[A-Za-z_]+)`/g)].map(([, name = '']) => name);
  expect(named.length).toBeGreaterThan(15);
  expect(named.filter(name => !documented.some(text => text.includes(`\`${name}\``)))).toEqual([]);
});
