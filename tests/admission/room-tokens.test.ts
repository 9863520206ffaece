/** A room token opens one room to one user, until the session leaves it (PROTOCOL.md section 1). */
import type { Frame } from '@hubbub/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { connect, connectRefused, type RawClient } from '../support/raw-client.js';
import { roomToken, signClaims } from './claims.js';

/** `vip` needs room tokens, although the tokens of these sessions would open it thrice. */
const NAMESPACES = { vip: { requireRoomToken: true, public: true, historySize: 10 }, chat: {} };

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startCluster({ edges: 1, env: withNamespaces(NAMESPACES) });
});

let count = 0;
const newRoom = (namespace = 'vip') => `${namespace}:${++count}`;

async function alice(rooms?: readonly string[] | Record<string, readonly string[]>): Promise<RawClient> {
  const token = cluster.token({ user: 'alice', ...(rooms !== undefined && { rooms }) });
  const client = await connect(cluster.edge(0).wsUrl, { name: 'alice', token });
  await client.nextFrame('welcome');
  return client;
}

const join = (client: RawClient, room: string, token?: unknown) =>
  client.ask({ type: 'join_room', payload: { room_id: room, token } });
const send = (client: RawClient, room: string) => client.ask({ type: 'send_message', room, payload: { n: 1 } });
const resume = async (client: RawClient, ...rooms: object[]) =>
  (await client.ask({ type: 'resume', payload: { rooms } })).payload?.rooms as Record<string, unknown>[];
const codeOf = (frame: Frame) => (frame.type === 'error' ? frame.payload?.code : 'ok');

describe('a namespace that wants room tokens', () => {
  test.each<[string, Parameters<typeof alice>[0]]>([
    ['everything', ['*']],
    ['the namespace', ['vip:*']],
    ['each right in it', { 'vip:*': ['join', 'publish', 'event', 'presence', 'history'] }],
    ['what is public', undefined],
  ])('refuses a token that opens %s, and names the needed right', async (_, rooms) => {
    const client = await alice(rooms);
    const room = newRoom();
    const answer = await join(client, room);
    expect(answer).toMatchObject({ type: 'error', payload: { code: 'FORBIDDEN' } });
    expect(answer.payload?.message).toContain('needs a room token');
    expect(await resume(client, { room_id: room })).toMatchObject([{ error: { code: 'FORBIDDEN' } }]);
    expect(codeOf(await send(client, room))).toBe('NOT_IN_ROOM');
    const token = cluster.token({ user: 'alice', ...(rooms !== undefined && { rooms }) });
    expect(await connectRefused(cluster.edge(0).roomUrl(room), { token })).toMatchObject({ status: 403 });
  });

  test('admits a holder of one, and its rights are the only ones', async () => {
    const client = await alice(['*']);
    const [all, reading] = [newRoom(), newRoom()];
    expect(codeOf(await join(client, all, roomToken({ user: 'alice', room: all })))).toBe('ok');
    expect(codeOf(await send(client, all))).toBe('ok');
    expect(codeOf(await client.ask({ type: 'history', room: all }))).toBe('ok');
    const token = roomToken({ user: 'alice', room: reading, rights: ['join', 'history'] });
    expect(codeOf(await join(client, reading, token))).toBe('ok');
    expect(codeOf(await send(client, reading))).toBe('FORBIDDEN');
    expect(codeOf(await client.ask({ type: 'online_users', room: reading }))).toBe('FORBIDDEN');
    expect(codeOf(await client.ask({ type: 'history', room: reading }))).toBe('ok');
  });

  test('a member that joins again keeps what it has: without a token, and with one that does not fit', async () => {
    const client = await alice();
    const room = newRoom();
    await join(client, room, roomToken({ user: 'alice', room }));
    expect(codeOf(await join(client, room))).toBe('ok');
    expect(codeOf(await join(client, room, roomToken({ user: 'bob', room })))).toBe('FORBIDDEN');
    expect(codeOf(await send(client, room))).toBe('ok');
    expect(codeOf(await join(client, room, roomToken({ user: 'alice', room, rights: ['join'] })))).toBe('ok');
    expect(codeOf(await send(client, room))).toBe('FORBIDDEN');
  });
});

describe('a room token that does not fit', () => {
  const WRONG: readonly [string, (room: string) => string][] = [
    ['of another user', room => roomToken({ user: 'bob', room })],
    ['for another room', room => roomToken({ user: 'alice', room: `${room}0` })],
    ['for a pattern', () => roomToken({ user: 'alice', room: 'vip:*' })],
    ['that has expired', room => roomToken({ user: 'alice', room, ttlMs: -60_000 })],
    ['without an end', room => signClaims({ sub: 'alice', room, exp: undefined })],
    ['without a user', room => signClaims({ room })],
    ['with unknown rights', room => roomToken({ user: 'alice', room, rights: ['join', 'rule'] })],
    ['without the right to join', room => roomToken({ user: 'alice', room, rights: ['publish'] })],
    ['that is not valid yet', room => signClaims({ sub: 'alice', room, nbf: Math.floor(Date.now() / 1000) + 600 })],
    ['with another signature', room => `${roomToken({ user: 'alice', room }).slice(0, -4)}AAAA`],
    ['that is the token of the session', () => cluster.token({ user: 'alice', rooms: ['*'] })],
    ['that is none', () => 'open sesame'],
    ['that is empty', () => ''],
  ];

  test.each(WRONG)('%s opens nothing: in join_room, in resume, in the path', async (_, make) => {
    const room = newRoom();
    const token = make(room);
    const client = await alice(['*']);
    const answer = await join(client, room, token);
    expect(answer).toMatchObject({ type: 'error', payload: { code: 'FORBIDDEN', message: expect.any(String) } });
    const [resumed] = await resume(client, { room_id: room, token });
    expect(resumed).toMatchObject({ room_id: room, error: { code: 'FORBIDDEN' } });
    expect(codeOf(await send(client, room))).toBe('NOT_IN_ROOM');

    const url = `${cluster.edge(0).roomUrl(room)}?room_token=${encodeURIComponent(token)}`;
    const refused = await connectRefused(url, { token: cluster.token({ user: 'alice' }) });
    expect(refused.status).toBe(403);
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'FORBIDDEN' });
    for (const reply of [JSON.stringify(answer), JSON.stringify(resumed), refused.body]) {
      if (token.length > 10) expect(reply).not.toContain(token);
    }
    if (token.length > 10) expect(cluster.edge(0).process.output.lines.join()).not.toContain(token);
  });

  test('one that is not a text is a mistake of the payload', async () => {
    const client = await alice();
    expect(codeOf(await join(client, newRoom(), { sub: 'alice' }))).toBe('INVALID_PAYLOAD');
  });

  test('it opens no session', async () => {
    const token = roomToken({ user: 'alice', room: 'general' });
    const refused = await connectRefused(cluster.edge(0).wsUrl, { token });
    expect(refused).toMatchObject({ status: 401 });
  });
});

describe('elsewhere a room token adds to the token of the session', () => {
  test('it opens one more room, with its rights', async () => {
    const client = await alice(['general']);
    const [room, other] = [newRoom('chat'), newRoom('chat')];
    expect(codeOf(await join(client, room))).toBe('FORBIDDEN');
    expect(codeOf(await join(client, room, roomToken({ user: 'alice', room, rights: ['join'] })))).toBe('ok');
    expect(codeOf(await send(client, room))).toBe('FORBIDDEN');
    expect(codeOf(await join(client, other))).toBe('FORBIDDEN');
  });

  test('it adds a right in a room that is open', async () => {
    const client = await alice({ 'chat:*': ['join'] });
    const room = newRoom('chat');
    await join(client, room);
    expect(codeOf(await send(client, room))).toBe('FORBIDDEN');
    expect(codeOf(await join(client, room, roomToken({ user: 'alice', room, rights: ['publish'] })))).toBe('ok');
    expect(codeOf(await send(client, room))).toBe('ok');
  });
});

describe('the rights of a room token end when the session leaves the room', () => {
  const publish = (channel: string, message: object) =>
    cluster.redis.cli('PUBLISH', `${cluster.redis.prefix}:${channel}`, JSON.stringify(message));

  test.each<[string, (client: RawClient, room: string) => Promise<unknown>]>([
    ['by itself', (client, room) => client.ask({ type: 'leave_room', payload: { room_id: room } })],
    [
      'because a service took the user out',
      async (client, room) => {
        await publish(`room:{${room}}`, { type: 'hubbub.remove_user', payload: { user: 'alice' } });
        await client.nextFrame({ type: 'room_closed', room });
      },
    ],
    [
      'because a service closed the room',
      async (client, room) => {
        await publish(`room:{${room}}`, { type: 'hubbub.close_room' });
        await client.nextFrame({ type: 'room_closed', room });
      },
    ],
  ])('%s: a rejoin needs the token again', async (_, leave) => {
    for (const [namespace, rooms] of [
      ['vip', ['*']],
      ['chat', ['general']],
    ] as const) {
      const client = await alice(rooms);
      const room = newRoom(namespace);
      const token = roomToken({ user: 'alice', room });
      await join(client, room, token);
      await leave(client, room);
      expect(codeOf(await join(client, room))).toBe('FORBIDDEN');
      expect(await resume(client, { room_id: room })).toMatchObject([{ error: { code: 'FORBIDDEN' } }]);
      expect(codeOf(await join(client, room, token))).toBe('ok');
      expect(codeOf(await send(client, room))).toBe('ok');
    }
  });

  test('a right that it added is gone, too, where the session may rejoin without it', async () => {
    const client = await alice({ 'chat:*': ['join'] });
    const room = newRoom('chat');
    await join(client, room, roomToken({ user: 'alice', room }));
    expect(codeOf(await send(client, room))).toBe('ok');
    await client.ask({ type: 'leave_room', payload: { room_id: room } });
    expect(codeOf(await join(client, room))).toBe('ok');
    expect(codeOf(await send(client, room))).toBe('FORBIDDEN');
  });

  test('after a reconnect a resume with the token, beside rooms that need none and rooms that are refused', async () => {
    const first = await alice();
    const room = newRoom();
    const token = roomToken({ user: 'alice', room });
    const { payload } = await join(first, room, token);
    await send(first, room);
    await first.terminate();

    const second = await alice();
    const position = { epoch: payload?.epoch, offset: payload?.offset };
    const answers = await resume(
      second,
      { room_id: 'general' },
      { room_id: room, ...position, token },
      { room_id: newRoom(), token },
    );
    expect(answers).toMatchObject([
      { room_id: 'general' },
      { room_id: room, offset: 1, recovered: true },
      { error: { code: 'FORBIDDEN' } },
    ]);
    await second.nextFrame({ type: 'new_message', room, offset: 1 });
    expect(codeOf(await send(second, room))).toBe('ok');
  });

  test('in the path it opens the room before the upgrade, and its rights are there with the welcome', async () => {
    const room = newRoom();
    const at = (rights: readonly string[]) =>
      `${cluster.edge(0).roomUrl(room)}?room_token=${roomToken({ user: 'alice', room, rights })}`;
    const token = cluster.token({ user: 'alice' });
    const client = await connect(at(['join', 'publish']), { token });
    expect((await client.nextFrame('welcome')).payload?.rooms).toEqual([room]);
    expect(codeOf(await send(client, room))).toBe('ok');
    expect(codeOf(await client.ask({ type: 'online_users', room }))).toBe('FORBIDDEN');
    await client.ask({ type: 'leave_room', payload: { room_id: room } });
    expect(codeOf(await join(client, room))).toBe('FORBIDDEN');
    expect(await connectRefused(at(['publish']), { token })).toMatchObject({ status: 403 });
  });
});
