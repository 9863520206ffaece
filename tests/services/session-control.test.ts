/** Services control single sessions: answer them, add them to rooms and remove them, from redis-cli as from any program. */
import { HubbubClient, type RoomChange } from '@hubbub/client';
import type { Frame } from '@hubbub/protocol';
import { countOf, eventually } from '@hubbub/tools/kit';
import { beforeAll, expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { cleanup } from '../support/cleanup.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { connect, type RawClient } from '../support/raw-client.js';
import { startTcpProxy } from '../support/tcp-proxy.js';

const MAX_ROOMS = 4;
/** No token grants the rooms of `game` and `log`. */
const NAMESPACES = { game: { events: ['move'] }, log: { historySize: 100 }, vip: { requireRoomToken: true } };

let cluster: TestCluster;
beforeAll(async () => {
  const env = { ...withNamespaces(NAMESPACES), HUBBUB_MAX_ROOMS: String(MAX_ROOMS) };
  cluster = await startCluster({ edges: 2, env });
});

interface Address {
  readonly session: string;
  readonly node: string;
}

async function person(user: string, edge = 0, encoding: 'json' | 'msgpack' = 'json') {
  const token = cluster.token({ user });
  const client = await connect(cluster.edge(edge).wsUrl, { name: user, token, encoding });
  const session = String((await client.nextFrame('welcome')).payload?.session_id);
  return Object.assign(client, { session, node: cluster.edge(edge).nodeId });
}

const publish = (channel: string, message: object) =>
  cluster.redis.cli('PUBLISH', `${cluster.redis.prefix}:${channel}`, JSON.stringify(message));
const tell = (node: string, message: object) => publish(`node:{${node}}`, message);
const add = ({ node, session }: Address, room: string, rights?: readonly string[]) =>
  tell(node, { type: 'hubbub.add_sessions', sessions: [session], payload: { room, rights } });
const remove = ({ node, session }: Address, room: string, reason?: string) =>
  tell(node, { type: 'hubbub.remove_sessions', sessions: [session], payload: { room, reason } });
const code = ({ type, payload }: Frame) => (type === 'error' ? payload?.code : type);
const say = (client: RawClient, room: string) => client.ask({ type: 'send_message', room, payload: { content: 'hi' } });

const added = (result: string) => countOf(cluster.edge(0), `hubbub_edge_added_sessions_total{result="${result}"}`);

test('an answer reaches only the named sessions, in their encodings', async () => {
  const [ada, bob, other] = [await person('ada'), await person('bob', 0, 'msgpack'), await person('ada')];
  const payload = { total: 3 };
  const sessions = [ada.session, bob.session, 'gone.1'];
  await tell(ada.node, { type: 'vote.counted', id: 'v1', sessions, room: 'game:1', payload });
  for (const client of [ada, bob]) {
    const frame = await client.nextFrame('vote.counted');
    expect(frame).toEqual({ type: 'vote.counted', id: 'v1', room: 'game:1', payload, timestamp: expect.any(String) });
  }
  await tell(ada.node, { type: 'barrier', sessions: [other.session] });
  expect(await other.nextFrame('barrier')).not.toHaveProperty('room');
  await other.noFrame('vote.counted');
});

test.each([
  ['without sessions', { type: 'lost' }],
  ['with sessions that are not a list', { type: 'lost', sessions: 'ada' }],
  ['with an invalid room', { type: 'lost', sessions: [], room: 'no room' }],
  ['that adds without a room', { type: 'hubbub.add_sessions', sessions: [], payload: {} }],
  [
    'that adds with an unknown right',
    { type: 'hubbub.add_sessions', sessions: [], payload: { room: 'game:1', rights: ['fly'] } },
  ],
  ['that adds nobody', { type: 'hubbub.add_sessions', payload: { room: 'game:1' } }],
  ['that controls a room', { type: 'hubbub.close_room', sessions: [], payload: {} }],
])('a message on a node’s channel %s is malformed', async (_, message) => {
  const before = await countOf(cluster.edge(0), 'hubbub_edge_malformed_envelopes_total');
  await tell('edge-1', message);
  await eventually(
    async () => (await countOf(cluster.edge(0), 'hubbub_edge_malformed_envelopes_total')) === before + 1,
  );
});

test('an added session is a member like any other: it gets room_opened and room_info, and the others hear and see it', async () => {
  const [ada, bob] = [await person('ada', 0), await person('bob', 1, 'msgpack')];
  const room = 'game:2';
  expect(code(await ada.ask({ type: 'join_room', payload: { room_id: room } }))).toBe('FORBIDDEN');
  await add(ada, room);
  expect((await ada.nextFrame('room_opened')).payload).toEqual({ room_id: room });
  expect((await ada.nextFrame({ type: 'room_info', room })).payload).toMatchObject({ count: 1 });
  await add(bob, room);
  await bob.nextFrame({ type: 'room_opened', room });
  await ada.nextFrame({ type: 'user_joined', payload: { user: { id: 'bob' } } });
  expect(code(await say(bob, room))).toBe('ack');
  await ada.nextFrame({ type: 'new_message', room, sender: { id: 'bob' } });
  expect(code(await ada.ask({ type: 'move', room }))).toBe('ack');
});

test('with rights it may do only what they allow, until it gets other rights or leaves', async () => {
  const ada = await person('ada');
  const room = 'game:3';
  await add(ada, room, ['event']);
  await ada.nextFrame('room_opened');
  expect(code(await say(ada, room))).toBe('FORBIDDEN');
  expect(code(await ada.ask({ type: 'move', room }))).toBe('ack');
  await add(ada, room, ['publish']);
  await eventually(async () => code(await say(ada, room)) === 'ack');
  expect(code(await ada.ask({ type: 'move', room }))).toBe('FORBIDDEN');
  await ada.noFrame('room_opened'); // It was a member already.
  await ada.ask({ type: 'leave_room', payload: { room_id: room } });
  expect(code(await ada.ask({ type: 'join_room', payload: { room_id: room } }))).toBe('FORBIDDEN');
});

test('a namespace with room tokens accepts sessions that a service adds, and keeps them when the token is renewed', async () => {
  const ada = await person('ada');
  await add(ada, 'vip:1', ['event']);
  await ada.nextFrame('room_opened');
  expect(code(await ada.ask({ type: 'refresh', payload: { token: cluster.token({ user: 'ada' }) } }))).toBe('ack');
  await ada.noFrame('room_closed');
  expect(code(await say(ada, 'vip:1'))).toBe('FORBIDDEN');
});

test('a removed session gets the reason and is out; the user’s other sessions stay', async () => {
  const [ada, other, bob] = [await person('ada', 0), await person('ada', 1), await person('bob', 1)];
  const room = 'removals';
  for (const client of [ada, other, bob]) await client.join(room);
  await publish(`room:{${room}}`, { type: 'before' });
  await ada.nextFrame('before');
  await remove(ada, room, 'the seat is taken');
  const closed = await ada.nextFrame('room_closed');
  expect(closed).toMatchObject({ room, payload: { room_id: room, removed: true, reason: 'the seat is taken' } });
  expect(code(await say(ada, room))).toBe('NOT_IN_ROOM');
  await publish(`room:{${room}}`, { type: 'after' });
  for (const client of [other, bob]) await client.nextFrame('after');
  await ada.noFrame('after');
  await bob.noFrame({ type: 'user_left', payload: { user: { id: 'ada' } } });
});

test('added and immediately removed, a session is out in the end; removed and added, it is in', async () => {
  const ada = await person('ada');
  const redis = cluster.redis.connection();
  const channel = `${cluster.redis.prefix}:node:{${ada.node}}`;
  for (let round = 0; round < 20; round++) {
    const control = (what: string, room: string) =>
      JSON.stringify({ type: `hubbub.${what}_sessions`, sessions: [ada.session], payload: { room } });
    const [out, into] = [`game:out-${round}`, `game:in-${round}`];
    const pipeline = redis.pipeline();
    pipeline.publish(channel, control('add', out));
    pipeline.publish(channel, control('remove', out));
    pipeline.publish(channel, control('add', into));
    pipeline.publish(channel, control('remove', into));
    pipeline.publish(channel, control('add', into));
    await pipeline.exec();
    for (const type of ['room_opened', 'room_closed']) await ada.nextFrame({ type, room: out });
    for (const type of ['room_opened', 'room_closed', 'room_opened']) await ada.nextFrame({ type, room: into });
    expect(code(await say(ada, out))).toBe('NOT_IN_ROOM');
    expect(code(await say(ada, into))).toBe('ack');
    await ada.ask({ type: 'leave_room', payload: { room_id: into } });
  }
});

test('a pending join of its own is answered first, with its position', async () => {
  const token = cluster.token({ user: 'ada', rooms: ['log:*'] });
  for (let round = 0; round < 10; round++) {
    const room = `log:race-${round}`;
    const ada = await connect(cluster.edge(0).wsUrl, { name: 'ada', token });
    const session = String((await ada.nextFrame('welcome')).payload?.session_id);
    ada.send({ type: 'join_room', id: 'j', payload: { room_id: room } });
    await Promise.all([
      tell('edge-1', { type: 'hubbub.add_sessions', sessions: [session], payload: { room } }),
      ada.nextFrame({ type: 'ack', id: 'j', payload: { offset: 0 } }),
    ]);
    expect(code(await say(ada, room))).toBe('ack');
    await ada.close();
  }
});

test('a session at its room limit is not added, and the refusal is counted', async () => {
  const ada = await person('ada');
  for (let n = 0; n < MAX_ROOMS; n++) await ada.join(`full-${n}`);
  const before = await added('ROOM_LIMIT');
  await add(ada, 'game:4');
  await eventually(async () => (await added('ROOM_LIMIT')) === before + 1);
  expect(code(await say(ada, 'game:4'))).toBe('NOT_IN_ROOM');
  await ada.noFrame('room_opened');
});

test('in a room with history room_opened has the position from which the session hears', async () => {
  const [ada, bob] = [await person('ada'), await person('bob', 1)];
  const room = 'log:1';
  await add(bob, room);
  await bob.nextFrame('room_opened');
  expect((await say(bob, room)).offset).toBe(1);
  await add(ada, room);
  expect((await ada.nextFrame('room_opened')).payload).toEqual({ room_id: room, epoch: expect.any(String), offset: 1 });
  expect((await say(bob, room)).offset).toBe(2);
  expect((await ada.nextFrame('new_message')).offset).toBe(2);
});

test('the SDK is in a room that a service added until the session ends; then the service adds it again', async () => {
  const proxy = await startTcpProxy({ to: cluster.edge(0).process.port });
  const url = `ws://127.0.0.1:${proxy.port}/ws`;
  const client = new HubbubClient({ url, token: cluster.token({ user: 'sam' }), baseDelayMs: 10 });
  cleanup(() => client.close());
  const bob = await person('bob', 1);
  await client.connect();
  const addSdk = (room: string) => add({ node: 'edge-1', session: client.session?.id ?? '' }, room);

  const [kept, lost] = [client.room('log:kept'), client.room('log:lost')];
  const changes: RoomChange[] = [];
  lost.onStateChange(change => changes.push(change));
  const heard: string[] = [];
  const gaps: unknown[] = [];
  lost.on('new_message', ({ payload }) => heard.push(String(payload?.content)));
  client.on('gap', gap => gaps.push(gap));
  for (const room of [kept, lost]) {
    await addSdk(room.name);
    await eventually(() => room.state === 'joined', { describe: 'a room that it was added to is joined' });
  }
  await eventually(() => lost.roster.users.length === 1, { describe: 'the roster of the room is there' });
  await add(bob, lost.name);
  await bob.nextFrame({ type: 'room_opened', room: lost.name });
  await say(bob, lost.name);
  await eventually(() => heard.length === 1);
  expect((await lost.send({ content: 'mine' })).offset).toBe(2);
  await kept.join(); // Wanted from now on, as any room that is joined.

  const first = client.session?.id;
  proxy.cut();
  await eventually(() => client.state === 'open' && client.session?.id !== first, { describe: 'it is back' });
  expect(changes.map(({ state }) => state)).toEqual(['joined', 'left']);
  // It asked to join the room, and the edge, which admits no client there, refused.
  expect(kept.state).toBe('left');

  await say(bob, lost.name);
  await addSdk(lost.name);
  await eventually(() => lost.state === 'joined', { describe: 'it is added again' });
  await say(bob, lost.name);
  await eventually(() => heard.length === 2);
  expect(gaps, 'messages sent while it was not in the room are not a gap').toEqual([]);
  const left = await countOf(cluster.edge(0), 'hubbub_edge_frames_total{type="leave_room",result="ok"}');
  await lost.leave();
  expect(await countOf(cluster.edge(0), 'hubbub_edge_frames_total{type="leave_room",result="ok"}')).toBe(left + 1);
});
