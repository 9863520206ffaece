/** The kit's clusters: real processes that are ready, and the same story in one process in memory. */

import { eventually, TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { startCluster, startEmbedded, type TestCluster } from '../cluster.js';
import { runHubbub } from '../process.js';
import { connect, connectRefused } from '../raw-client.js';

async function tellFirstToLast(cluster: TestCluster): Promise<void> {
  const first = cluster.edge(0);
  const last = cluster.edge(cluster.edges.length - 1);
  const alice = await connect(first.wsUrl, { name: 'alice', token: cluster.token({ user: 'alice', name: 'Alice' }) });
  const bob = await connect(last.roomUrl('general'), {
    name: 'bob',
    token: cluster.token({ user: 'bob' }),
    encoding: 'msgpack',
  });
  await bob.nextFrame('welcome');
  await alice.join('general');
  const sent = { type: 'send_message', room: 'general', payload: { content: 'hi' } };
  expect(await alice.ask(sent)).toMatchObject({ type: 'ack' });
  await bob.nextFrame({ type: 'new_message', sender: { id: 'alice', name: 'Alice' }, payload: { content: 'hi' } });
  await bob.noFrame('new_message');
  await alice.noFrame('new_message');
}

describe('a cluster of the kit', () => {
  test('carries a message from edge to edge', async () => {
    const cluster = await startCluster({ edges: 2 });
    expect(new Set([...cluster.edges.map(edge => edge.process.pid), cluster.presence[0]?.pid]).size).toBe(3);
    await tellFirstToLast(cluster);
  });

  test('is the same in one process on the memory broker', async () => {
    await tellFirstToLast(await startEmbedded());
  });

  test('grows, and loses an edge by a crash', async () => {
    const cluster = await startCluster({ edges: 1 });
    const added = await cluster.addEdge();
    const alice = await connect(added.wsUrl, { token: cluster.token({ user: 'alice' }) });
    await added.process.kill('SIGKILL');
    expect(await alice.closed).toMatchObject({ code: 1006 });
    await connect(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'alice' }) });
  });

  test('refuses a token of another secret, and one that has expired', async () => {
    const { edge, token } = await startCluster({ edges: 1, presence: 0 });
    const foreign = token({ user: 'eve', secret: 'another-secret-of-at-least-thirty-two-bytes' });
    expect(await connectRefused(edge(0).wsUrl, { token: foreign })).toMatchObject({ status: 401 });
    const expired = token({ user: 'eve', ttlMs: -10_000 });
    expect(await connectRefused(edge(0).wsUrl, { token: expired })).toMatchObject({ status: 401 });
  });
});

describe('commands', () => {
  test('end with their output', async () => {
    const { code, stdout } = await runHubbub(['token', '--user', 'u1'], { HUBBUB_JWT_SECRET: TEST_JWT_SECRET });
    expect(code).toBe(0);
    const cluster = await startEmbedded();
    await connect(cluster.edge(0).wsUrl, { token: stdout.trim() });
  });

  test('that refuse to start exit with an error code', async () => {
    const { code, stderr, stdout } = await runHubbub(['edge'], { HUBBUB_PORT: 'eighty' });
    expect(code).not.toBe(0);
    expect(stderr + stdout).toContain('HUBBUB_PORT');
  });
});

test('a process can be frozen and continue', async () => {
  const cluster = await startEmbedded();
  const alice = await connect(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'alice' }) });
  cluster.edge(0).process.pause();
  alice.send({ type: 'ping', id: 'p1' });
  await expect(alice.nextFrame('pong', { withinMs: 200 })).rejects.toThrow('expected pong within 200 ms');
  cluster.edge(0).process.resume();
  await alice.nextFrame({ type: 'pong', id: 'p1' });
  await eventually(() => alice.frames.length === 2, { describe: 'welcome and pong are all that came' });
});
