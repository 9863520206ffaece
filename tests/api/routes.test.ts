/** Back ends reach clients by HTTP: every route of the API on a real cluster. */

import { eventually } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { connect, type RawClient } from '../support/raw-client.js';
import { type ApiProcess, PRESENCE_KEY, startApi } from './api-process.js';

let cluster: TestCluster;
let api: ApiProcess;

beforeAll(async () => {
  const history = { public: true, historySize: 100, historyTtlMs: 600_000 };
  cluster = await startCluster({
    edges: 2,
    env: { HUBBUB_PRESENCE_API_KEYS: PRESENCE_KEY, ...withNamespaces({ default: { public: true }, chat: history }) },
  });
  api = await startApi(cluster, { env: { HUBBUB_API_TOKENS: 'true' } });
});

async function member(user: string, room: string, edge = 0): Promise<RawClient> {
  const client = await connect(cluster.edge(edge).wsUrl, { name: user, token: cluster.token({ user }) });
  await client.join(room);
  return client;
}

describe('messages', () => {
  test('reach a room, a user and all, on every edge, and name the sender that the back end gives', async () => {
    const alice = await member('alice', 'general', 0);
    const bob = await member('bob', 'general', 1);
    const sender = { id: 'shop', name: 'The shop' };
    const toRoom = await api.post('/rooms/general/messages', { type: 'build.finished', payload: { ok: true }, sender });
    expect(toRoom).toMatchObject({ status: 200, body: { room_id: 'general', repeated: false } });
    for (const client of [alice, bob]) {
      await client.nextFrame({ type: 'build.finished', room: 'general', payload: { ok: true }, sender });
    }
    await api.post('/users/bob/messages', { type: 'notification.new', id: 'n1' });
    await bob.nextFrame({ type: 'notification.new', id: 'n1' });
    expect((await api.post('/messages', { all: true, type: 'maintenance.soon' })).body).toEqual({ repeated: false });
    await alice.nextFrame('maintenance.soon');
    await bob.nextFrame('maintenance.soon');
    await alice.noFrame('notification.new');
  });

  test('reach one session, also with its id in the body, and are sent once with an idempotency key', async () => {
    const [one, two] = [await member('eve', 'general'), await member('eve', 'general')];
    const { payload } = await one.nextFrame('welcome');
    const path = `/sessions/${payload?.session_id}/messages`;
    const message = { node: 'edge-1', room_id: 'general', type: 'move.seen', id: 'm1' };
    const answers = [await api.post(path, message, { 'idempotency-key': 'm1' })];
    answers.push(await api.post(path, message, { 'idempotency-key': 'm1' }));
    expect(answers.map(({ body }) => body.repeated)).toEqual([false, true]);
    await one.nextFrame({ type: 'move.seen', room: 'general', id: 'm1' });
    await api.post('/sessions/messages', { ...message, session_id: payload?.session_id, id: 'm2' });
    expect(await one.nextFrame('move.seen')).toMatchObject({ id: 'm2' });
    await api.post('/rooms/general/messages', { type: 'last' });
    await two.noFrame('move.seen', () => two.nextFrame('last'));
    expect(await api.post(path, { type: 'move.seen' })).toMatchObject({
      status: 400,
      body: { message: expect.stringMatching(/^node: /) },
    });
  });

  test('leave out excluded users', async () => {
    const alice = await member('ann', 'quiet');
    const bob = await member('ben', 'quiet');
    await api.post('/rooms/quiet/messages', { type: 'said', exclude_user: 'ann' });
    await api.post('/rooms/quiet/messages', { type: 'last' });
    await bob.nextFrame('said');
    await alice.noFrame('said', () => alice.nextFrame('last'));
  });

  test('to a room with history get a position, and can be read page by page', async () => {
    const room = 'chat:pages';
    const offsets: unknown[] = [];
    for (let n = 1; n <= 5; n++) {
      const { body } = await api.post(`/rooms/${room}/messages`, { type: 'said', payload: { n } });
      offsets.push(body.offset);
    }
    expect(offsets).toEqual([1, 2, 3, 4, 5]);
    const numbers = async (query: string) => {
      const { body } = await api.get(`/rooms/${room}/history${query}`);
      const messages = body.messages as Array<{ payload: { n: number } }>;
      return { numbers: messages.map(({ payload }) => payload.n), more: body.more, next: body.next };
    };
    expect(await numbers('')).toEqual({ numbers: [1, 2, 3, 4, 5], more: false });
    expect(await numbers('?limit=2')).toEqual({ numbers: [4, 5], more: true, next: 4 });
    expect(await numbers('?limit=2&before=4')).toEqual({ numbers: [2, 3], more: true, next: 2 });
    expect(await numbers('?since=1&limit=3')).toEqual({ numbers: [2, 3, 4], more: true, next: 4 });
    expect(await numbers('?since=5')).toEqual({ numbers: [], more: false });
    expect((await api.get(`/rooms/${room}/history?limit=1`)).body).toMatchObject({
      room_id: room,
      epoch: expect.stringMatching(/./),
      offset: 5,
      messages: [{ type: 'said', room, offset: 5, timestamp: expect.any(String) }],
    });
  });

  test('of MessagePack clients are read as JSON, bytes in their documented form', async () => {
    const token = cluster.token({ user: 'binary' });
    const client = await connect(cluster.edge(0).wsUrl, { token, encoding: 'msgpack' });
    await client.join('chat:bytes');
    await client.ask({ type: 'send_message', room: 'chat:bytes', payload: { data: Uint8Array.of(1, 2, 3) } });
    const { body } = await api.get('/rooms/chat:bytes/history');
    expect(body.messages).toMatchObject([
      { type: 'new_message', sender: { id: 'binary' }, payload: { data: { $base64: 'AQID' } } },
    ]);
  });

  test('a room without history has no messages, which is not an error', async () => {
    await api.post('/rooms/plain/messages', { type: 'said' });
    expect(await api.get('/rooms/plain/history')).toMatchObject({
      status: 200,
      body: { room_id: 'plain', epoch: '', offset: 0, messages: [], more: false },
    });
  });
});

describe('a batch', () => {
  test('has an outcome for each message: an error in one does not affect the others', async () => {
    const alice = await member('batcher', 'batch');
    const { status, body } = await api.post('/batch', {
      messages: [
        { room_id: 'batch', type: 'first' },
        { room_id: 'no room', type: 'lost' },
        { type: 'to.nobody' },
        { room_id: 'batch', user_id: 'batcher', type: 'to.two' },
        { room_id: 'batch', type: 'Not A Type' },
        { room_id: 'batch', type: 'lost', payload: 'text' },
        'no message',
        { user_id: 'batcher', type: 'second' },
        { all: true, type: 'third' },
        { room_id: 'chat:batch', type: 'fourth' },
      ],
    });
    expect(status).toBe(200);
    const results = body.results as Array<Record<string, unknown>>;
    expect(body).toMatchObject({ published: 4, failed: 6 });
    expect(results.map(result => result.code ?? result.status)).toEqual([
      'published',
      'INVALID_ROOM',
      'INVALID_FORMAT',
      'INVALID_FORMAT',
      'INVALID_FORMAT',
      'INVALID_PAYLOAD',
      'INVALID_FORMAT',
      'published',
      'published',
      'published',
    ]);
    expect(results[9]).toEqual({ status: 'published', epoch: expect.any(String), offset: 1, repeated: false });
    for (const type of ['first', 'second', 'third']) await alice.nextFrame(type);
    expect(alice.frames.some(({ type }) => type === 'lost')).toBe(false);
  });

  test('keeps the order within each room, with a history and without', async () => {
    const rooms = ['order', 'chat:order'];
    const listeners = await Promise.all(rooms.map((room, edge) => member(`orderly-${edge}`, room, edge)));
    const numbers = Array.from({ length: 500 }, (_, n) => n);
    const messages = numbers.flatMap(n =>
      // Every third message has a key, which costs Redis one more command.
      rooms.map(room_id => ({
        room_id,
        type: 'said',
        payload: { n },
        ...(n % 3 === 0 && { idempotency_key: `${room_id}${n}` }),
      })),
    );
    expect((await api.post('/batch', { messages })).body).toMatchObject({ published: 1000, failed: 0 });
    for (const listener of listeners) {
      await eventually(() => listener.frames.filter(({ type }) => type === 'said').length === 500);
      const heard = listener.frames.filter(({ type }) => type === 'said').map(({ payload }) => payload?.n);
      expect(heard).toEqual(numbers);
    }
  });

  test('has at most 1000 messages', async () => {
    const messages = Array.from({ length: 1001 }, () => ({ all: true, type: 'a' }));
    const before = await api.metric('hubbub_api_limited_total', { limit: 'batch_messages' });
    expect(await api.post('/batch', { messages })).toMatchObject({ status: 413, body: { code: 'TOO_LARGE' } });
    expect(await api.metric('hubbub_api_limited_total', { limit: 'batch_messages' })).toBe(before + 1);
    expect(await api.post('/batch', { messages: [] })).toMatchObject({ status: 400, body: { code: 'INVALID_FORMAT' } });
  });
});

describe('controls', () => {
  test('close a room, remove a user from one, end the sessions of a user', async () => {
    const alice = await member('carla', 'game', 0);
    const bob = await member('dan', 'game', 1);
    const removed = await api.post('/rooms/game/users/dan/remove', { reason: 'cheating' });
    expect(removed).toMatchObject({ status: 200, body: { room_id: 'game', user_id: 'dan', repeated: false } });
    await bob.nextFrame({ type: 'room_closed', room: 'game', payload: { removed: true, reason: 'cheating' } });
    await alice.noFrame('room_closed');
    expect((await api.ask('POST', '/rooms/game/close')).body).toEqual({ room_id: 'game', repeated: false });
    await alice.nextFrame({ type: 'room_closed', room: 'game' });
    await api.post('/users/dan/disconnect', { reason: 'the account was closed' });
    expect(await bob.closed).toEqual({ code: 4200, reason: 'the account was closed' });
    await alice.ping();
  });
});

describe('questions', () => {
  test('the members of a room, the rooms of a user, and the online count, as presence reports them', async () => {
    await member('eve', 'lobby', 0);
    await member('finn', 'lobby', 1);
    const roster = await eventually(async () => {
      const { body } = await api.get('/rooms/lobby/roster');
      return body.count === 2 && body;
    });
    expect(roster).toMatchObject({
      room_id: 'lobby',
      users: expect.arrayContaining([
        {
          id: 'eve',
          name: expect.any(String),
          online: true,
          sessions: [{ session_id: expect.any(String), node: 'edge-1' }],
        },
      ]),
    });
    expect((await api.get('/users/finn')).body).toMatchObject({
      id: 'finn',
      online: true,
      sessions: [{ node: 'edge-2', rooms: ['lobby'] }],
    });
    expect((await api.get('/users/nobody')).body).toEqual({ id: 'nobody', online: false, sessions: [] });
    await eventually(async () => Number((await api.get('/online')).body.online) >= 2, { describe: 'two are online' });
  });

  test('a user’s id may be any text, escaped in the path', async () => {
    const user = 'zoë/é?#%';
    await member(user, 'lobby');
    const path = `/users/${encodeURIComponent(user)}`;
    await eventually(async () => (await api.get(path)).body.online === true);
    expect((await api.get(path)).body.id).toBe(user);
  });
});

describe('tokens', () => {
  test('grant sessions and rooms with the requested rights', async () => {
    const minted = await api.post('/users/gil/tokens', { name: 'Gil', rooms: { 'chat:*': ['join'] }, ttl_ms: 60_000 });
    expect(minted.status).toBe(200);
    const client = await connect(cluster.edge(0).wsUrl, { token: String(minted.body.token) });
    const welcome = await client.nextFrame('welcome');
    expect(welcome.payload).toMatchObject({ user: { id: 'gil', name: 'Gil' } });
    const expiresAtMs = Date.parse(String(minted.body.expires_at));
    expect(expiresAtMs).toBeGreaterThan(Date.now() + 50_000);
    expect(expiresAtMs).toBeLessThanOrEqual(Date.now() + 60_000);
    await client.join('chat:gil');
    expect(await client.ask({ type: 'join_room', payload: { room_id: 'general' } })).toMatchObject({
      type: 'error',
      payload: { code: 'FORBIDDEN' },
    });

    const room = await api.post('/rooms/general/tokens', { user_id: 'gil', rights: ['join'] });
    const joined = await client.ask({ type: 'join_room', payload: { room_id: 'general', token: room.body.token } });
    expect(joined.type).toBe('ack');
  });

  test('without a body a session token is valid for 15 minutes', async () => {
    const { status, body } = await api.ask('POST', '/users/hal/tokens');
    expect(status).toBe(200);
    expect(Date.parse(String(body.expires_at)) - Date.now()).toBeGreaterThan(890_000);
  });

  test('are not minted for ids reserved by edges, nor for more than a day', async () => {
    for (const [path, body] of [
      ['/users/anonymous:x/tokens', {}],
      ['/users/x/tokens', { ttl_ms: 86_400_001 }],
      ['/rooms/general/tokens', { user_id: 'x', rights: ['fly'] }],
      ['/rooms/general/tokens', {}],
    ] as const) {
      expect(await api.post(path, body), path).toMatchObject({ status: 400, body: { code: 'INVALID_FORMAT' } });
    }
  });
});

test('requests, publishes and controls are counted by template and outcome', async () => {
  const requests = (status: string) =>
    api.metric('hubbub_api_requests_total', { route: 'POST /rooms/{room_id}/messages', status });
  const before = { ok: await requests('200'), wrong: await requests('400') };
  const published = { target: 'room', result: 'published' };
  const publishedBefore = await api.metric('hubbub_api_publishes_total', published);
  await api.post('/rooms/counted/messages', { type: 'a' });
  await api.post('/rooms/counted/messages', { type: 'A' });
  await eventually(
    async () => (await requests('200')) === before.ok + 1 && (await requests('400')) === before.wrong + 1,
  );
  expect(await api.metric('hubbub_api_publishes_total', published)).toBe(publishedBefore + 1);
  expect(await api.metric('hubbub_api_controls_total', { do: 'close_room', result: 'published' })).toBeGreaterThan(0);
  expect(
    await api.metric('hubbub_api_request_duration_seconds_count', { route: 'POST /rooms/{room_id}/messages' }),
  ).toBeGreaterThan(1);
  const page = await (await fetch(`${api.process.adminUrl}/metrics`)).text();
  expect(page).not.toContain('counted');
});
