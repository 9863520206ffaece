/** How much a session, a user and an address may send: each limit reached and exceeded over the wire (PROTOCOL.md section 6). */

import { metricValue } from '@hubbub/tools/kit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCluster, startEmbedded, type TestCluster } from '../support/cluster.js';
import { connect, type RawClient } from '../support/raw-client.js';
import { startRedis } from '../support/redis.js';
import { limitCount } from './limit-count.js';

const BURST = 20;
const REFUSALS = 10;
const HERE = '127.0.0.2';
const THERE = '127.0.0.3';

/** Sends pings in one go, and returns the answers in the order of the pings. */
async function flood(client: RawClient, count: number): Promise<object[]> {
  const ids = Array.from({ length: count }, (_, index) => `f${index}-${Math.random()}`);
  for (const id of ids) client.send({ type: 'ping', id });
  const answers: object[] = [];
  for (const id of ids) answers.push(await client.nextFrame({ id }));
  return answers;
}

function refusedIn(answers: readonly object[]): object[] {
  return answers.filter(answer => (answer as { type: string }).type === 'error');
}

describe('frames of a session', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startEmbedded({
      env: {
        HUBBUB_MAX_FRAMES_PER_SECOND: '2',
        HUBBUB_MAX_FRAMES_BURST: String(BURST),
        HUBBUB_MAX_REFUSALS_PER_MINUTE: String(REFUSALS),
      },
    });
  });

  const open = (user: string, encoding: 'json' | 'msgpack' = 'json') =>
    connect(cluster.edge(0).wsUrl, { name: user, token: cluster.token({ user }), encoding });

  test.each(['json', 'msgpack'] as const)(
    'a burst goes through, the next frame is answered RATE_LIMITED with its id and when to send it again: %s',
    async encoding => {
      const before = await limitCount(cluster.edge(0), 'session_frames');
      const client = await open(`burst-${encoding}`, encoding);
      expect((await client.nextFrame('welcome')).payload?.limits).toMatchObject({
        max_frames_per_second: 2,
        max_frames_burst: BURST,
      });
      expect(refusedIn(await flood(client, BURST))).toEqual([]);
      const refused = await client.ask({ type: 'send_message', room: 'general', payload: {} });
      expect(refused).toMatchObject({ type: 'error', room: 'general', payload: { code: 'RATE_LIMITED' } });
      const retryAfterMs = Number(refused.payload?.retry_after_ms);
      expect(retryAfterMs).toBeGreaterThan(0);
      expect(retryAfterMs).toBeLessThanOrEqual(500);
      // A client that waits for that time gets through.
      await new Promise(resolve => setTimeout(resolve, retryAfterMs + 1));
      expect(await client.ask({ type: 'ping' })).toMatchObject({ type: 'pong' });
      expect((await limitCount(cluster.edge(0), 'session_frames')) - before).toBe(1);
    },
  );

  test('reconnecting does not refill what a session may send', async () => {
    const startedAt = performance.now();
    let accepted = 0;
    for (let round = 0; round < 8; round++) {
      const client = await open('returning');
      await client.nextFrame('welcome');
      accepted += REFUSALS - refusedIn(await flood(client, REFUSALS)).length;
      await client.close();
    }
    const elapsedSeconds = (performance.now() - startedAt) / 1000;
    expect(accepted).toBeGreaterThanOrEqual(BURST);
    expect(accepted).toBeLessThanOrEqual(BURST + 2 * elapsedSeconds + 1);
    // Nothing is kept of a user that only came and went.
    const before = await metricValue(cluster.edge(0), 'hubbub_edge_limit_buckets');
    await (await open('visitor')).close();
    expect(await metricValue(cluster.edge(0), 'hubbub_edge_limit_buckets')).toBeLessThanOrEqual(before);
  });

  test('a client that continues is closed with 4001 (reconnect), and is out of its rooms', async () => {
    const bystander = await open('bystander');
    await bystander.join('den');
    const client = await open('greedy');
    await client.join('den');
    await bystander.nextFrame({ type: 'user_joined', sender: { id: 'greedy' } });
    for (let n = 0; n < BURST + REFUSALS + 50; n++) {
      client.send({ type: 'send_message', room: 'den', id: `m${n}`, payload: { n } });
    }
    expect(await client.closed).toMatchObject({ code: 4001 });
    const answers = client.frames.filter(({ type }) => type === 'error');
    expect(answers).toHaveLength(REFUSALS + 1);
    await bystander.nextFrame({ type: 'user_left', sender: { id: 'greedy' } });
    // No later frame of it was executed.
    const messages = bystander.frames.filter(({ type }) => type === 'new_message');
    expect(messages.length).toBeLessThanOrEqual(BURST);
    expect(await limitCount(cluster.edge(0), 'refusals')).toBeGreaterThanOrEqual(1);
    // 4001 means: reconnect. So it may.
    await (await open('greedy')).nextFrame('welcome');
  });

  test('a client that keeps sending refused frames is closed with 4201 (stop)', async () => {
    const client = await open('nonsense');
    await client.nextFrame('welcome');
    for (let n = 0; n <= REFUSALS; n++) client.sendRaw('nonsense');
    expect(await client.closed).toMatchObject({ code: 4201 });
    expect(client.frames.filter(({ type }) => type === 'error').map(({ payload }) => payload?.code)).toEqual(
      Array(REFUSALS + 1).fill('INVALID_FORMAT'),
    );
  });

  test('also who has never sent anything but frames that are too large', async () => {
    const client = await open('heavy');
    const { payload } = await client.nextFrame('welcome');
    const limits = payload?.limits as { max_frame_bytes: number } | undefined;
    const tooLarge = 'x'.repeat((limits?.max_frame_bytes ?? 0) + 1);
    for (let n = 0; n <= REFUSALS; n++) client.sendRaw(tooLarge);
    expect(await client.closed).toMatchObject({ code: 4201 });
    expect(client.frames.filter(({ type }) => type === 'error').map(({ payload }) => payload?.code)).toEqual(
      Array(REFUSALS + 1).fill('TOO_LARGE'),
    );
  });

  test('as many refusals as may be do not close', async () => {
    const client = await open('clumsy');
    await client.nextFrame('welcome');
    for (let n = 0; n < REFUSALS; n++) client.sendRaw('nonsense');
    await client.ping();
    expect(client.frames.filter(({ type }) => type === 'error')).toHaveLength(REFUSALS);
  });
});

describe('frames of a user and of an address', () => {
  test('all sessions of a user share what it may send, on one edge; others are not touched', async () => {
    const cluster = await startCluster({
      edges: 2,
      env: { HUBBUB_MAX_FRAMES_PER_SECOND: '0', HUBBUB_MAX_USER_FRAMES_PER_SECOND: '10' },
    });
    const open = (user: string, edge: number) =>
      connect(cluster.edge(edge).wsUrl, { name: user, token: cluster.token({ user }) });
    const [one, two, elsewhere, bob] = [
      await open('alice', 0),
      await open('alice', 0),
      await open('alice', 1),
      await open('bob', 0),
    ];
    expect(refusedIn(await flood(one, 20))).toEqual([]); // Twice the rate in a burst.
    const refused = refusedIn(await flood(two, 10));
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]).toMatchObject({ payload: { code: 'RATE_LIMITED', retry_after_ms: expect.any(Number) } });
    expect(refusedIn(await flood(bob, 20))).toEqual([]);
    // Counted on each edge for itself (decision 3).
    expect(refusedIn(await flood(elsewhere, 20))).toEqual([]);
    expect(await limitCount(cluster.edge(0), 'user_frames')).toBe(refused.length);
    expect(await limitCount(cluster.edge(1), 'user_frames')).toBe(0);
  });

  test('all sessions of an address share what it may send, and other addresses are not touched', async () => {
    const cluster = await startEmbedded({
      env: { HUBBUB_MAX_FRAMES_PER_SECOND: '0', HUBBUB_MAX_ADDRESS_FRAMES_PER_SECOND: '10' },
    });
    const open = (user: string, localAddress: string) =>
      connect(cluster.edge(0).wsUrl, { name: user, token: cluster.token({ user }), localAddress });
    const [alice, bob, carol] = [await open('alice', HERE), await open('bob', HERE), await open('carol', THERE)];
    expect(refusedIn(await flood(alice, 20))).toEqual([]);
    const refused = refusedIn(await flood(bob, 10));
    expect(refused.length).toBeGreaterThan(0);
    expect(refusedIn(await flood(carol, 20))).toEqual([]);
    expect(await limitCount(cluster.edge(0), 'address_frames')).toBe(refused.length);
  });
});

describe('limits of one frame', () => {
  let cluster: TestCluster;
  let client: RawClient;
  beforeAll(async () => {
    cluster = await startEmbedded({
      env: {
        HUBBUB_MAX_FRAME_BYTES: '512',
        HUBBUB_MAX_ROOMS: '2',
        HUBBUB_MAX_PAYLOAD_DEPTH: '3',
        HUBBUB_MAX_PAYLOAD_KEYS: '4',
      },
    });
    client = await connect(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'u' }) });
    await client.join('general');
  });
  afterAll(() => cluster.stop());

  const counted = async (limit: string, act: () => Promise<unknown>) => {
    const before = await limitCount(cluster.edge(0), limit);
    await act();
    return (await limitCount(cluster.edge(0), limit)) - before;
  };
  const frameOf = (bytes: number) => {
    const frame = { type: 'send_message', room: 'general', id: 'm', payload: { content: '' } };
    frame.payload.content = 'x'.repeat(bytes - JSON.stringify(frame).length);
    return JSON.stringify(frame);
  };
  const send = (payload: object) => client.ask({ type: 'send_message', room: 'general', payload });

  test('its size', async () => {
    client.sendRaw(frameOf(512));
    await client.nextFrame({ type: 'ack', id: 'm' });
    const exceeded = await counted('frame_bytes', async () => {
      client.sendRaw(frameOf(513));
      await client.nextFrame({ type: 'error', payload: { code: 'TOO_LARGE' } });
    });
    expect(exceeded).toBe(1);
  });

  test('the nesting and the keys of its payload', async () => {
    const [deep, deeper] = [{ a: { b: {} } }, { a: { b: { c: {} } } }];
    expect(await send(deep)).toMatchObject({ type: 'ack' });
    expect(await send({ a: [1, 2, 3] })).toMatchObject({ type: 'ack' });
    const exceeded = await counted('payload', async () => {
      expect(await send(deeper)).toMatchObject({ payload: { code: 'INVALID_PAYLOAD' } });
      expect(await send({ a: [1, 2, 3, 4] })).toMatchObject({ payload: { code: 'INVALID_PAYLOAD' } });
    });
    expect(exceeded).toBe(2);
  });

  test('the rooms of a session, also those that it resumes', async () => {
    await client.join('second');
    const exceeded = await counted('rooms', async () => {
      const answer = await client.ask({ type: 'join_room', payload: { room_id: 'third' } });
      expect(answer).toMatchObject({ payload: { code: 'ROOM_LIMIT' } });
      const resumed = await client.ask({ type: 'resume', payload: { rooms: [{ room_id: 'fourth' }] } });
      expect(resumed).toMatchObject({ payload: { rooms: [{ error: { code: 'ROOM_LIMIT' } }] } });
    });
    expect(exceeded).toBe(2);
    await client.ask({ type: 'leave_room', payload: { room_id: 'second' } });
    await client.join('third');
  });

  test('the name of a room', async () => {
    const other = await connect(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'v' }) });
    await other.join('n'.repeat(255));
    const exceeded = await counted('room_name', async () => {
      const answer = await other.ask({ type: 'join_room', payload: { room_id: 'n'.repeat(256) } });
      expect(answer).toMatchObject({ payload: { code: 'INVALID_ROOM' } });
    });
    expect(exceeded).toBe(1);
  });
});

test('frames that wait for one in progress', async () => {
  const redis = await startRedis({ own: true });
  const env = { HUBBUB_MAX_FRAMES_PER_SECOND: '0', HUBBUB_MAX_FRAMES_BURST: '64', HUBBUB_MAX_ROOMS: '10' };
  const cluster = await startCluster({ edges: 1, redis, env });
  const client = await connect(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'u' }) });
  await client.join('general');
  await redis.pause();
  // A join takes Redis; 64 frames wait; the rest is refused immediately.
  client.send({ type: 'join_room', id: 'join', payload: { room_id: 'other' } });
  for (let n = 0; n < 74; n++) client.send({ type: 'ping', id: `p${n}` });
  const delays = new Set<unknown>();
  for (let n = 64; n < 74; n++) {
    const refusal = await client.nextFrame({ id: `p${n}`, payload: { code: 'RATE_LIMITED' } });
    delays.add(refusal.payload?.retry_after_ms);
  }
  expect(Math.min(...[...delays].map(Number))).toBeGreaterThan(0);
  expect(delays.size).toBeGreaterThan(1);
  await redis.resume();
  await client.nextFrame({ type: 'ack', id: 'join' });
  for (let n = 0; n < 64; n++) await client.nextFrame({ type: 'pong', id: `p${n}` });
  expect(await limitCount(cluster.edge(0), 'waiting_frames')).toBe(10);
});
