/** The main path: two people chat, one over JSON and one over MessagePack, on the same or different edges. */

import { eventually } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { startCluster, startEmbedded, type TestCluster } from '../support/cluster.js';
import { connect, type RawClient } from '../support/raw-client.js';

const PLACES: ReadonlyArray<{ place: string; start: () => Promise<TestCluster> }> = [
  { place: 'two edges on Redis', start: () => startCluster({ edges: 2 }) },
  { place: 'one process in memory', start: () => startEmbedded() },
];

describe.each(PLACES)('a chat across $place', ({ start }) => {
  let cluster: TestCluster;
  let room: string;
  let rooms = 0;

  beforeAll(async () => {
    cluster = await start();
  });

  /** Alice uses JSON at the first edge, Bob uses MessagePack at the last one. */
  async function aliceAndBob(): Promise<{ alice: RawClient; bob: RawClient }> {
    rooms++;
    room = `room-${rooms}`;
    const last = cluster.edge(cluster.edges.length - 1);
    const alice = await connect(cluster.edge(0).wsUrl, {
      name: 'alice',
      token: cluster.token({ user: `alice-${rooms}`, name: 'Alice' }),
    });
    const bob = await connect(last.wsUrl, {
      name: 'bob',
      token: cluster.token({ user: `bob-${rooms}`, name: 'Bob' }),
      encoding: 'msgpack',
    });
    return { alice, bob };
  }

  async function bothInRoom(): Promise<{ alice: RawClient; bob: RawClient }> {
    const both = await aliceAndBob();
    await both.alice.join(room);
    await both.alice.nextFrame('room_info');
    await both.bob.join(room);
    await both.bob.nextFrame('room_info');
    await both.alice.nextFrame('user_joined');
    return both;
  }

  test('welcome arrives first, with the identity and the limits of the session', async () => {
    const { alice } = await aliceAndBob();
    const welcome = await alice.nextFrame('welcome');
    expect(alice.frames[0]).toEqual(welcome);
    expect(welcome.payload).toMatchObject({
      session_id: expect.any(String),
      user: { id: `alice-${rooms}`, name: 'Alice' },
      rooms: [],
      limits: { max_frame_bytes: 4096, max_rooms: 100 },
    });
  });

  test('both see each other: the member gets user_joined, the joiner gets room_info', async () => {
    const { alice, bob } = await aliceAndBob();
    await alice.join(room);
    const first = await alice.nextFrame('room_info');
    expect(first).toMatchObject({
      room,
      payload: { room_id: room, users: [{ id: `alice-${rooms}`, name: 'Alice' }], count: 1 },
    });

    await bob.join(room);
    const joined = await alice.nextFrame('user_joined');
    expect(joined).toMatchObject({
      room,
      sender: { id: `bob-${rooms}`, name: 'Bob' },
      payload: { user: { id: `bob-${rooms}`, name: 'Bob' }, count: 2 },
    });
    const roster = await bob.nextFrame('room_info');
    expect(roster.payload).toMatchObject({ count: 2 });
    expect(roster.payload?.users).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: 'Alice' }), expect.objectContaining({ name: 'Bob' })]),
    );
    await bob.noFrame('user_joined', () => bob.ask({ type: 'online_users', room }));
  });

  test('a message reaches the other once, with the sender that the edge knows; the sender gets an ack and no copy', async () => {
    const { alice, bob } = await bothInRoom();
    alice.send({
      type: 'send_message',
      room,
      id: 'r1',
      message_id: 'm1',
      payload: { content: 'héllo', reply_to: 'm0' },
      sender: { id: 'mallory', name: 'Mallory' },
      timestamp: '1970-01-01T00:00:00.000Z',
    });
    expect(await alice.nextFrame('ack')).toMatchObject({ id: 'r1', room, payload: { message_id: 'm1' } });
    const message = await bob.nextFrame('new_message');
    expect(message).toMatchObject({
      room,
      id: 'm1',
      sender: { id: `alice-${rooms}`, name: 'Alice' },
      payload: { content: 'héllo', reply_to: 'm0' },
    });
    expect(Math.abs(Date.parse(message.timestamp ?? '') - Date.now())).toBeLessThan(60_000);

    bob.send({ type: 'send_message', room, message_id: 'last', payload: { content: 'end' } });
    await alice.noFrame({ type: 'new_message', id: 'm1' }, () => alice.nextFrame({ type: 'new_message', id: 'last' }));
    await bob.noFrame('new_message');
  });

  test('a message without an id gets one, the same for its sender and the others', async () => {
    const { alice, bob } = await bothInRoom();
    bob.send({ type: 'send_message', room, payload: { content: 'hi' } });
    const { id } = await bob.nextFrame('ack');
    expect(id).toEqual(expect.any(String));
    expect(await alice.nextFrame('new_message')).toMatchObject({ id, sender: { name: 'Bob' } });
  });

  test('binary values of MessagePack reach JSON members in the documented form', async () => {
    const { alice, bob } = await bothInRoom();
    bob.send({ type: 'send_message', room, payload: { picture: Uint8Array.from([0, 255, 1]), at: new Date(0) } });
    expect((await alice.nextFrame('new_message')).payload).toEqual({
      picture: { $base64: 'AP8B' },
      at: '1970-01-01T00:00:00.000Z',
    });
  });

  test('typing reaches only the others', async () => {
    const { alice, bob } = await bothInRoom();
    alice.send({ type: 'typing', room });
    expect(await bob.nextFrame('user_typing')).toMatchObject({ room, sender: { name: 'Alice' } });
    expect(await alice.ask({ type: 'stop_typing', room })).toMatchObject({ type: 'ack', room });
    await bob.nextFrame('user_stopped_typing');
    bob.send({ type: 'typing', room });
    await alice.noFrame({ type: 'user_typing', sender: { name: 'Alice' } }, () =>
      alice.nextFrame({ sender: { name: 'Bob' } }),
    );
  });

  test('a leave is announced to the others, and the leaver gets nothing more from the room', async () => {
    const { alice, bob } = await bothInRoom();
    expect(await bob.ask({ type: 'leave_room', payload: { room_id: room } })).toMatchObject({ type: 'ack', room });
    expect(await alice.nextFrame('user_left')).toMatchObject({ room, payload: { user: { name: 'Bob' }, count: 1 } });
    await alice.ask({ type: 'send_message', room, payload: { content: 'gone?' } });
    await bob.noFrame({ room });
  });

  test('the frames of one session are executed in order, even during a pending join', async () => {
    const { bob } = await aliceAndBob();
    bob.send({ type: 'join_room', id: '1', payload: { room_id: room } });
    bob.send({ type: 'send_message', id: '2', room, payload: {} });
    bob.send({ type: 'leave_room', id: '3', payload: { room_id: room } });
    bob.send({ type: 'send_message', id: '4', room, payload: {} });
    await bob.nextFrame({ id: '1', type: 'ack' });
    await bob.nextFrame({ id: '2', type: 'ack' });
    await bob.nextFrame({ id: '3', type: 'ack' });
    await bob.nextFrame({ id: '4', type: 'error', payload: { code: 'NOT_IN_ROOM' } });
  });

  test('joins the room of the path immediately', async () => {
    const { alice } = await aliceAndBob();
    await alice.join(room);
    const carol = await connect(cluster.edge(0).roomUrl(room), {
      name: 'carol',
      token: cluster.token({ user: 'carol' }),
    });
    expect((await carol.nextFrame('welcome')).payload?.rooms).toEqual([room]);
    await carol.nextFrame('room_info');
    await alice.nextFrame('user_joined');
    alice.send({ type: 'send_message', room, message_id: 'to-carol', payload: {} });
    await carol.nextFrame({ type: 'new_message', id: 'to-carol' });
  });

  test('/ws/online counts the users of the whole cluster', async () => {
    await aliceAndBob();
    const online = async (url: string) =>
      ((await (await fetch(`${url}/ws/online`)).json()) as { online: number }).online;
    await eventually(async () => (await online(cluster.edge(0).httpUrl)) >= 2, { describe: 'two users are online' });
  });
});

describe('two edges on Redis', () => {
  test('after kill -9 of an edge its users leave, once each, and the others keep chatting', async () => {
    const cluster = await startCluster({ edges: 2 });
    const alice = await connect(cluster.edge(0).wsUrl, { name: 'alice', token: cluster.token({ user: 'alice' }) });
    const carol = await connect(cluster.edge(0).wsUrl, { name: 'carol', token: cluster.token({ user: 'carol' }) });
    const bob = await connect(cluster.edge(1).wsUrl, { name: 'bob', token: cluster.token({ user: 'bob' }) });
    for (const client of [alice, carol, bob]) await client.join('general');
    await alice.nextFrame({ type: 'user_joined', sender: { id: 'bob' } });

    await cluster.edge(1).process.kill('SIGKILL');
    const left = await alice.nextFrame('user_left', { withinMs: 30_000 });
    expect(left).toMatchObject({ sender: { id: 'bob' }, payload: { count: 2 } });
    carol.send({ type: 'send_message', room: 'general', message_id: 'still-here', payload: {} });
    await alice.noFrame('user_left', () => alice.nextFrame({ id: 'still-here' }));
  });

  test('messages reach only edges with a member (invariant 11)', async () => {
    const cluster = await startCluster({ edges: 2 });
    const alice = await connect(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'alice' }) });
    await alice.join('general');
    const channel = `${cluster.redis.prefix}:room:{general}`;
    expect(await cluster.redis.cli('PUBSUB', 'NUMSUB', channel)).toContain('1');
  });
});
