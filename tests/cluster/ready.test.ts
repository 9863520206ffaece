/** /readyz is green only if a message has just traveled out through Redis and back (invariant 10). */

import { eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { startCluster, type TestEdge } from '../support/cluster.js';
import { connect } from '../support/raw-client.js';
import { startRedis } from '../support/redis.js';

const QUICK_PROBE = {
  HUBBUB_PROBE_INTERVAL_MS: '100',
  HUBBUB_PROBE_TIMEOUT_MS: '500',
  HUBBUB_REDIS_COMMAND_TIMEOUT_MS: '300',
};

async function status(
  edge: TestEdge,
): Promise<{ status: number; body: { ready: boolean; checks: Record<string, string> } }> {
  const response = await fetch(`${edge.adminUrl}/readyz`);
  return {
    status: response.status,
    body: (await response.json()) as { ready: boolean; checks: Record<string, string> },
  };
}

describe('/readyz of an edge (invariant 10)', () => {
  test('turns red while Redis is frozen, although the connection is open, and green afterwards', async () => {
    const redis = await startRedis({ own: true });
    const cluster = await startCluster({ edges: 1, presence: 0, redis, env: QUICK_PROBE });
    const edge = cluster.edge(0);
    expect(await status(edge)).toMatchObject({ status: 200, body: { ready: true } });
    await redis.pause();
    cleanup(() => redis.resume());
    await eventually(async () => (await status(edge)).status === 503, { describe: 'it is red' });
    expect((await status(edge)).body).toMatchObject({
      ready: false,
      checks: { broker: expect.stringContaining('the self-probe does not return') },
    });
    await redis.resume();
    await eventually(async () => (await status(edge)).status === 200, { describe: 'it is green again' });
  });

  test('a deaf subscription on a live connection is detected and rebuilt', async () => {
    const redis = await startRedis({ own: true });
    const cluster = await startCluster({ edges: 1, presence: 0, redis, env: QUICK_PROBE });
    const edge = cluster.edge(0);
    const alice = await connect(edge.wsUrl, { name: 'alice', token: cluster.token({ user: 'alice' }) });
    await alice.join('general');
    // A failover can leave a live connection without subscriptions.
    await redis.cli('ACL', 'SETUSER', 'default', 'resetchannels');
    await eventually(async () => (await status(edge)).status === 503, { describe: 'it is red' });
    await redis.cli('ACL', 'SETUSER', 'default', 'allchannels');
    await eventually(async () => (await status(edge)).status === 200, { describe: 'it hears again' });
    await redis.cli('PUBLISH', `${redis.prefix}:room:{general}`, '{"type":"hello.again"}');
    await alice.nextFrame('hello.again');
  });

  test('while Redis is down connections stay and messages get UNAVAILABLE; afterwards rooms get room_gap and messages flow', async () => {
    const redis = await startRedis({ own: true });
    const cluster = await startCluster({ edges: 1, redis, env: QUICK_PROBE });
    const alice = await connect(cluster.edge(0).wsUrl, { name: 'alice', token: cluster.token({ user: 'alice' }) });
    const bob = await connect(cluster.edge(0).wsUrl, { name: 'bob', token: cluster.token({ user: 'bob' }) });
    await alice.join('general');
    await bob.join('general');
    await redis.halt();
    const refused = await eventually(async () => {
      const answer = await alice.ask({ type: 'send_message', room: 'general', payload: {} });
      return answer.type === 'error' && answer;
    });
    expect(refused.payload).toMatchObject({ code: 'UNAVAILABLE' });
    await redis.start();
    for (const member of [alice, bob]) {
      expect(await member.nextFrame('room_gap')).toMatchObject({ room: 'general', payload: { room_id: 'general' } });
    }
    // The publishing connection may reconnect a moment after the subscribing one.
    await eventually(
      async () => (await alice.ask({ type: 'send_message', room: 'general', payload: {} })).type === 'ack',
    );
    await bob.nextFrame('new_message');
  });

  test('an edge that starts before its Redis stays red and waits for it', async () => {
    const redis = await startRedis({ own: true });
    await redis.halt();
    const starting = startCluster({ edges: 1, presence: 0, redis, env: QUICK_PROBE });
    await redis.start();
    expect((await status((await starting).edge(0))).status).toBe(200);
  });
});
