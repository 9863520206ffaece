/** Client events that cannot be stored: while Redis is away, or while services are behind. */
import type { Frame } from '@hubbub/protocol';
import { metricValue } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { type Environment, startCluster, startEmbedded } from '../support/cluster.js';
import type { RawClient } from '../support/raw-client.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { code, enter, eventsOf, NAMESPACES } from './client-events.js';

describe('on failures', () => {
  const start = async (redis: TestRedis, env: Record<string, string> = {}): Promise<RawClient> => {
    const settings = { ...withNamespaces(NAMESPACES), HUBBUB_REDIS_COMMAND_TIMEOUT_MS: '1000', ...env };
    const cluster = await startCluster({ edges: 1, presence: 0, redis, env: settings });
    return await enter(cluster, 'alice', ['vote:1']);
  };

  test('a Redis that does not answer: no ack, then OUTCOME_UNKNOWN; the retry with the same message_id is stored once', async () => {
    const redis = await startRedis({ own: true });
    const alice = await start(redis);
    const vote = { type: 'vote_submitted', room: 'vote:1', id: 'v1', message_id: 'v1', payload: {} };
    await redis.pause();
    alice.send(vote);
    await alice.noFrame('ack');
    expect(code(await alice.nextFrame({ id: 'v1' }))).toBe('OUTCOME_UNKNOWN');
    await redis.resume();
    // The event sent before the freeze may be in the stream or not: the retry is safe in both cases.
    alice.send(vote);
    expect(code(await alice.nextFrame({ id: 'v1' }))).toBe('ack');
    expect(await eventsOf(redis, 'vote')).toHaveLength(1);
  });

  test('a full stream refuses, and accepts again when services have read the waiting events', async () => {
    const redis = await startRedis();
    const alice = await start(redis, { HUBBUB_MAX_WAITING_EVENTS: '3' });
    const stream = `${redis.prefix}:events:{vote}`;
    await redis.cli('XGROUP', 'CREATE', stream, 'referee', '0', 'MKSTREAM');
    const vote = async (id: string) => {
      alice.send({ type: 'vote_submitted', room: 'vote:1', id });
      return code(await alice.nextFrame({ id }));
    };
    expect([await vote('a'), await vote('b'), await vote('c'), await vote('d')]).toEqual([
      'ack',
      'ack',
      'ack',
      'UNAVAILABLE',
    ]);
    expect((await eventsOf(redis, 'vote')).map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    const connection = redis.connection();
    await connection.xreadgroup('GROUP', 'referee', 'r1', 'COUNT', 2, 'STREAMS', stream, '>');
    for (const [entryId] of (await connection.xrange(stream, '-', '+')).slice(0, 2)) {
      await connection.xack(stream, 'referee', entryId);
    }
    expect(await vote('d')).toBe('ack');
    expect((await eventsOf(redis, 'vote')).map(({ id }) => id)).toEqual(['c', 'd']);
  });
});

test('in one process without Redis the rules are the same', async () => {
  const cluster = await startEmbedded({ env: { ...withNamespaces(NAMESPACES), HUBBUB_MAX_WAITING_EVENTS: '2' } });
  const alice = await enter(cluster, 'alice', ['vote:1']);
  const bob = await enter(cluster, 'bob', ['vote:1'], { encoding: 'msgpack' });
  expect(code(await alice.ask({ type: 'vote_submitted', room: 'vote:1' }))).toBe('ack');
  expect(code(await alice.ask({ type: 'vote_withdrawn', room: 'vote:1' }))).toBe('UNKNOWN_TYPE');
  expect(code(await bob.ask({ type: 'vote_submitted', room: 'vote:2' }))).toBe('NOT_IN_ROOM');
  expect(code(await bob.ask({ type: 'vote_submitted', room: 'vote:1' }))).toBe('ack');
  expect(code(await bob.ask({ type: 'vote_submitted', room: 'vote:1' }))).toBe('UNAVAILABLE');
});

test.each([
  ['in memory', startEmbedded],
  ['on Redis', (options: { env: Environment }) => startCluster({ edges: 1, presence: 0, ...options })],
])(
  'one user cannot fill the stream that all share: %s',
  async (_, start) => {
    const cluster = await start({ env: { ...withNamespaces(NAMESPACES), HUBBUB_MAX_WAITING_EVENTS: '128' } });
    const greedy = await enter(cluster, 'greedy', ['vote:1']);
    const answers: Frame[] = [];
    const startedAtMs = performance.now();
    for (let n = 0; n < 150; n++) answers.push(await greedy.ask({ type: 'vote_submitted', room: 'vote:1' }));
    const refused = answers.filter(answer => code(answer) !== 'ack');
    // Half of the stream, then a share of 16, then one event a second as a probe whether services have caught up.
    const probes = Math.ceil((performance.now() - startedAtMs) / 1000);
    expect(answers.length - refused.length).toBeLessThanOrEqual(80 + probes);
    expect(refused[0]?.payload).toMatchObject({ code: 'UNAVAILABLE', retry_after_ms: expect.any(Number) });
    for (const user of ['ada', 'bob', 'eve']) {
      const other = await enter(cluster, user, ['vote:1']);
      expect(code(await other.ask({ type: 'vote_submitted', room: 'vote:1' }))).toBe('ack');
    }
    expect(await metricValue(cluster.edge(0), 'hubbub_edge_limits_total{limit="waiting_events"}')).toBe(refused.length);
  },
  60_000,
);
