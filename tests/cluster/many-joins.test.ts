/** The client SDK joins up to max_rooms rooms simultaneously, and retries joins after temporary refusals. */
import { HubbubClient } from '@hubbub/client';
import { countOf, eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { limitCount } from '../admission/limit-count.js';
import { cleanup } from '../support/cleanup.js';
import { type Environment, startCluster, startEmbedded, type TestCluster } from '../support/cluster.js';
import { startRedis } from '../support/redis.js';

/** Opens a connected client: each join is then a separate frame, not an entry of one `resume`. */
async function openClient(cluster: TestCluster): Promise<HubbubClient> {
  const client = new HubbubClient({ url: cluster.edge(0).wsUrl, token: cluster.token({ user: 'alice' }) });
  cleanup(() => client.close());
  await client.connect();
  return client;
}

function joinAll(client: HubbubClient, count: number): Promise<unknown> {
  return Promise.all(Array.from({ length: count }, (_, n) => client.room(`room-${n}`).join()));
}

describe.each([
  ['in memory', (env?: Environment) => startEmbedded({ ...(env && { env }) })],
  ['on Redis', (env?: Environment) => startCluster({ edges: 1, ...(env && { env }) })],
] as const)('%s', (_where, start) => {
  test('a hundred simultaneous joins succeed with all defaults, without a refusal', async () => {
    const cluster = await start();
    await joinAll(await openClient(cluster), 100);
    expect(await countOf(cluster.edge(0), 'hubbub_edge_frames_total{type="join_room",result="RATE_LIMITED"}')).toBe(0);
    expect(await countOf(cluster.edge(0), 'hubbub_edge_frames_total{type="join_room",result="ok"}')).toBe(100);
  });

  test('joins that are refused with RATE_LIMITED are retried until they succeed', async () => {
    const cluster = await start({ HUBBUB_MAX_FRAMES_PER_SECOND: '20', HUBBUB_MAX_FRAMES_BURST: '10' });
    await joinAll(await openClient(cluster), 40);
    expect(await limitCount(cluster.edge(0), 'session_frames')).toBeGreaterThan(0);
  });
});

test('a join that is refused with UNAVAILABLE is retried until Redis answers', async () => {
  const redis = await startRedis({ own: true });
  const cluster = await startCluster({ edges: 1, redis, env: { HUBBUB_REDIS_COMMAND_TIMEOUT_MS: '500' } });
  const client = await openClient(cluster);
  await redis.pause();
  const joined = client.room('general').join();
  const refusals = 'hubbub_edge_frames_total{type="join_room",result="UNAVAILABLE"}';
  await eventually(async () => expect(await countOf(cluster.edge(0), refusals)).toBeGreaterThan(0));
  await redis.resume();
  await joined;
});
