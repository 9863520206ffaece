/** The cost of frames: answers larger than their question, calls to Redis, bytes kept; each budget reached over the wire. */
import type { Frame } from '@hubbub/protocol';
import { metricValue } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { type Environment, startCluster, startEmbedded, type TestCluster } from '../support/cluster.js';
import { connect, type RawClient } from '../support/raw-client.js';
import { limitCount } from './limit-count.js';

const FRAMES_WITHOUT_LIMIT: Environment = {
  HUBBUB_MAX_FRAMES_PER_SECOND: '0',
  HUBBUB_MAX_USER_FRAMES_PER_SECOND: '0',
  HUBBUB_MAX_REFUSALS_PER_MINUTE: '100000',
};
const CHAT = { chat: { public: true, historySize: 100 } };

async function enter(cluster: TestCluster, user: string, rooms: readonly string[] = [], options: object = {}) {
  const client = await connect(cluster.edge(0).wsUrl, { name: user, token: cluster.token({ user }), ...options });
  await client.nextFrame('welcome');
  for (const room of rooms) await client.join(room);
  return client;
}

/** Sends the frame so many times without waiting, and returns the answers. */
async function ask(client: RawClient, frame: object, times: number): Promise<Frame[]> {
  const ids = Array.from({ length: times }, (_, n) => `q${n}-${Math.random()}`);
  for (const id of ids) client.send({ ...frame, id });
  const answers: Frame[] = [];
  for (const id of ids) answers.push(await client.nextFrame({ id }));
  return answers;
}

const refusals = (answers: readonly Frame[]) => answers.filter(({ type }) => type === 'error');

describe('bytes of answers', () => {
  test.each(['json', 'msgpack'] as const)(
    'a client that reads a history again and again is refused until its debt is paid, and may do everything else: %s',
    async encoding => {
      const env = { ...withNamespaces(CHAT), ...FRAMES_WITHOUT_LIMIT, HUBBUB_MAX_BYTES_OUT_PER_SECOND: '20000' };
      const cluster = await startEmbedded({ env });
      const client = await enter(cluster, 'reader', ['chat:1'], { encoding });
      for (let n = 0; n < 100; n++) {
        await client.ask({ type: 'send_message', room: 'chat:1', payload: { text: 'x'.repeat(1000) } });
      }
      // 100 kB an answer; 320 kB in a burst.
      const answers = await ask(client, { type: 'history', room: 'chat:1' }, 50);
      expect(answers.filter(({ type }) => type === 'history').length).toBeGreaterThanOrEqual(3);
      expect(answers.filter(({ type }) => type === 'history').length).toBeLessThanOrEqual(6);
      const [refused] = refusals(answers);
      expect(refused?.payload).toMatchObject({ code: 'RATE_LIMITED' });
      const retryAfterMs = Number(refused?.payload?.retry_after_ms);
      expect(retryAfterMs).toBeGreaterThan(0);
      expect(await limitCount(cluster.edge(0), 'session_bytes_out')).toBe(refusals(answers).length);
      const joined = client.ask({ type: 'join_room', payload: { room_id: 'chat:1', epoch: 'any', offset: 0 } });
      expect((await joined).payload).toMatchObject({ code: 'RATE_LIMITED' });
      expect((await client.ask({ type: 'send_message', room: 'chat:1', payload: {} })).type).toBe('ack');
      await new Promise(resolve => setTimeout(resolve, retryAfterMs + 1));
      expect((await client.ask({ type: 'history', room: 'chat:1' })).type).toBe('history');
      expect(await metricValue(cluster.edge(0), 'hubbub_edge_answered_bytes_total')).toBeGreaterThan(300_000);
    },
    60_000,
  );

  test('a user has one budget for all sessions, which reconnecting does not refill; others have their own', async () => {
    const env = { ...withNamespaces(CHAT), ...FRAMES_WITHOUT_LIMIT, HUBBUB_MAX_USER_BYTES_OUT_PER_SECOND: '2000' };
    const cluster = await startEmbedded({ env });
    const writer = await enter(cluster, 'writer', ['chat:1']);
    await ask(writer, { type: 'send_message', room: 'chat:1', payload: { text: 'x'.repeat(1000) } }, 20);
    const read = async (user: string) =>
      refusals(await ask(await enter(cluster, user, ['chat:1']), { type: 'history', room: 'chat:1' }, 3)).length;
    const refused = [await read('reader'), await read('reader'), await read('reader')];
    expect(refused[2]).toBe(3);
    expect(await read('other')).toBeLessThan(3);
    expect(await limitCount(cluster.edge(0), 'user_bytes_out')).toBeGreaterThan(0);
  });

  test('rosters count too, although presence answers', async () => {
    const env = { ...FRAMES_WITHOUT_LIMIT, HUBBUB_MAX_BYTES_OUT_PER_SECOND: '100' };
    const cluster = await startCluster({ edges: 1, env });
    const crowd = Array.from({ length: 20 }, (_, n) => `member-${n}-${'x'.repeat(80)}`);
    await Promise.all(crowd.map(user => enter(cluster, user, ['hall'])));
    const client = await enter(cluster, 'curious', ['hall']);
    let refused: Frame | undefined;
    for (let n = 0; n < 10 && refused === undefined; n++) {
      const answer = await client.ask({ type: 'online_users', room: 'hall' });
      if (answer.type === 'error') refused = answer;
    }
    expect(refused?.payload).toMatchObject({ code: 'RATE_LIMITED', retry_after_ms: expect.any(Number) });
    expect(await limitCount(cluster.edge(0), 'session_bytes_out')).toBeGreaterThan(0);
  });
});

describe('calls', () => {
  test('a status in many rooms costs each of them: faster changes are reported once, and then refused', async () => {
    const rooms = Array.from({ length: 100 }, (_, n) => `r${n}`);
    const cluster = await startCluster({ edges: 1, env: { ...FRAMES_WITHOUT_LIMIT } });
    const member = await enter(cluster, 'member', rooms.slice(0, 3));
    const client = await enter(cluster, 'loud', rooms);
    for (const room of rooms.slice(0, 3)) {
      await member.nextFrame({ type: 'user_joined', room, sender: { id: 'loud' } });
    }
    const callsBefore = await metricValue(cluster.edge(0), 'hubbub_edge_caused_calls_total');
    for (let n = 0; n < 50; n++) client.send({ type: 'set_status', id: `s${n}`, payload: { status: `${n}` } });
    for (let n = 0; n < 50; n++) await client.nextFrame({ type: 'ack', id: `s${n}` });
    await member.nextFrame({ type: 'user_status', room: 'r0', payload: { user: { id: 'loud', status: '49' } } });
    const seen = member.frames.filter(({ type, room }) => type === 'user_status' && room === 'r0');
    expect(seen.length).toBeLessThanOrEqual(3);
    const calls = (await metricValue(cluster.edge(0), 'hubbub_edge_caused_calls_total')) - callsBefore;
    expect(calls).toBeLessThanOrEqual(3 * 2 * rooms.length);
    let refused: Frame | undefined;
    for (let n = 0; n < 60 && refused === undefined; n++) {
      const answer = await client.ask({ type: 'set_status', payload: { status: `late ${n}` } });
      if (answer.type === 'error') refused = answer;
      else await new Promise(resolve => setTimeout(resolve, 60));
    }
    expect(refused?.payload).toMatchObject({ code: 'RATE_LIMITED', retry_after_ms: expect.any(Number) });
    expect(await limitCount(cluster.edge(0), 'session_calls')).toBe(1);
  });

  test('rooms of a resume are refused one by one, with a retry hint', async () => {
    const env = { ...FRAMES_WITHOUT_LIMIT, HUBBUB_MAX_CALLS_PER_SECOND: '1', HUBBUB_MAX_ROOMS: '10' };
    const cluster = await startEmbedded({ env });
    const client = await enter(cluster, 'u');
    const resume = (from: number) => ({
      type: 'resume',
      payload: { rooms: Array.from({ length: 10 }, (_, n) => ({ room_id: `r${from + n}` })) },
    });
    const first = await client.ask(resume(0));
    expect(JSON.stringify(first.payload)).not.toContain('error');
    await client.ask({ type: 'leave_room', payload: { room_id: 'r0' } });
    const again = (await client.ask(resume(0))).payload?.rooms as { error?: object }[];
    expect(again[9]?.error).toMatchObject({ code: 'RATE_LIMITED', retry_after_ms: expect.any(Number) });
  });

  test('a namespace that is used up leaves the others alone', async () => {
    const env = {
      ...withNamespaces({ busy: { public: true } }),
      ...FRAMES_WITHOUT_LIMIT,
      HUBBUB_MAX_NAMESPACE_CALLS_PER_SECOND: '1',
      HUBBUB_MAX_ROOMS: '4',
    };
    const cluster = await startEmbedded({ env });
    const greedy = await enter(cluster, 'greedy', ['busy:1']);
    const bystander = await enter(cluster, 'bystander', ['busy:1', 'quiet']);
    expect(refusals(await ask(greedy, { type: 'typing', room: 'busy:1' }, 30)).length).toBeGreaterThan(10);
    expect((await bystander.ask({ type: 'typing', room: 'busy:1' })).payload).toMatchObject({ code: 'RATE_LIMITED' });
    expect((await bystander.ask({ type: 'typing', room: 'quiet' })).type).toBe('ack');
    expect(await limitCount(cluster.edge(0), 'namespace_calls')).toBeGreaterThan(10);
  });
});

describe('bytes of history', () => {
  test('one user fills no more than its share; a room that it has filled costs no more; others continue', async () => {
    const env = {
      ...withNamespaces({ chat: { public: true, historySize: 5, historyTtlMs: 600_000 } }),
      ...FRAMES_WITHOUT_LIMIT,
      HUBBUB_MAX_USER_STORED_BYTES: '20000',
    };
    const cluster = await startEmbedded({ env });
    const rooms = Array.from({ length: 20 }, (_, n) => `chat:${n}`);
    const hoarder = await enter(cluster, 'hoarder', rooms);
    const message = { type: 'send_message', payload: { text: 'x'.repeat(1000) } };
    expect(refusals(await ask(hoarder, { ...message, room: 'chat:0' }, 100))).toEqual([]);
    const answers: Frame[] = [];
    for (const room of rooms.slice(1)) answers.push(...(await ask(hoarder, { ...message, room }, 5)));
    const refused = refusals(answers);
    expect(answers.length - refused.length).toBeLessThanOrEqual(15);
    expect(answers.length - refused.length).toBeGreaterThanOrEqual(8);
    expect(refused[0]?.payload).toMatchObject({ code: 'RATE_LIMITED', retry_after_ms: expect.any(Number) });
    expect((await hoarder.ask({ ...message, room: 'chat:0' })).type).toBe('ack');
    expect((await (await enter(cluster, 'hoarder', ['chat:7'])).ask({ ...message, room: 'chat:7' })).type).toBe(
      'error',
    );
    expect((await (await enter(cluster, 'other', ['chat:7'])).ask({ ...message, room: 'chat:7' })).type).toBe('ack');
    expect(await limitCount(cluster.edge(0), 'user_stored_bytes')).toBe(refused.length + 1);
    expect(await metricValue(cluster.edge(0), 'hubbub_edge_stored_bytes_total')).toBeGreaterThan(10_000);
  });
});
