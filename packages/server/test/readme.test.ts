/** The programs of this package's README, on a real cluster. */

import { eventually, TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { beforeAll, expect, test } from 'vitest';
import { type Programs, programsOf } from '../../../tests/guides/programs.js';
import { withNamespaces } from '../../../tests/presence/config-file.js';
import { startCluster, type TestCluster } from '../../../tests/support/cluster.js';
import { connect } from '../../../tests/support/raw-client.js';

const API_KEY = 'the-key-of-the-story';
const NAMESPACES = {
  chat: { public: true, historySize: 100, historyTtlMs: 60_000 },
  game: { public: true, events: ['move'] },
  vip: { requireRoomToken: true },
  hall: { public: true, memberEvents: true, leaveGraceMs: 0 },
};

let cluster: TestCluster;
let redis: [url: string, prefix: string];
let readme: Programs;

beforeAll(async () => {
  readme = await programsOf('packages/server/README.md');
  const env = { ...withNamespaces(NAMESPACES), HUBBUB_PRESENCE_API_KEYS: API_KEY };
  cluster = await startCluster({ edges: 2, env });
  redis = [cluster.redis.url, cluster.redis.prefix];
});

async function enter(user: string, edge: number, ...rooms: string[]) {
  const client = await connect(cluster.edge(edge).wsUrl, { name: user, token: cluster.token({ user, name: user }) });
  const session = String((await client.nextFrame('welcome')).payload?.session_id);
  for (const room of rooms) await client.join(room);
  return Object.assign(client, { session, node: cluster.edge(edge).nodeId });
}

test('publish.mjs: a room, a user, all, a session, and past a user', async () => {
  const [one, two] = [await enter('p1', 0, 'general'), await enter('p2', 1, 'general')];
  await (await readme.run('publish.mjs', [...redis, 'p1', one.session, one.node])).ends();
  await two.nextFrame('user.renamed');
  for (const type of ['build.finished', 'notification.new', 'maintenance.soon', 'only.you']) await one.nextFrame(type);
  await two.nextFrame('build.finished');
  await two.nextFrame('maintenance.soon');
  await two.noFrame('notification.new');
  await two.noFrame('only.you');
  await one.noFrame('user.renamed');
});

test('history.mjs: published once, with its offset, however often it runs', async () => {
  const one = await enter('h1', 0, 'chat:42');
  expect(await (await readme.run('history.mjs', redis)).ends()).toEqual(['at offset 1']);
  expect(await (await readme.run('history.mjs', redis)).ends()).toEqual(['was there at 1']);
  expect(await one.nextFrame('order.paid')).toMatchObject({ offset: 1, payload: { order: 42 } });
  const { payload } = await one.ask({ type: 'history', room: 'chat:42' });
  expect(payload?.messages).toHaveLength(1);
});

test('events.mjs: answers, notifies the room, retries, gives up', async () => {
  const [one, two] = [await enter('e1', 0, 'game:42'), await enter('e2', 1, 'game:42')];
  const service = await readme.run('events.mjs', redis);
  one.send({ type: 'move', room: 'game:42', id: 'm1', payload: { to: 'e4' } });
  expect(await one.nextFrame('move.seen')).toMatchObject({ id: 'm1', room: 'game:42', payload: { to: 'e4' } });
  expect(await two.nextFrame('moved')).toMatchObject({ sender: { id: 'e1' }, payload: { to: 'e4' } });
  one.send({ type: 'move', room: 'game:42', id: 'm2', payload: {} });
  for (const attempt of [1, 2, 3]) await service.says(`failed: Error: no move, try ${attempt}`);
  one.send({ type: 'move', room: 'game:42', id: 'm3', payload: { to: 'e5' } });
  await one.nextFrame({ type: 'move.seen', id: 'm3' });
  service.stop();
  await service.says('given up: m2 no move, try 3');
  await service.ends();
});

test('explain.mjs: the sessions of a user, and every edge', async () => {
  const one = await enter('x1', 1, 'general');
  const lines = await (await readme.run('explain.mjs', [...redis, 'x1'])).ends();
  expect(lines[0]).toContain(`${one.session} open`);
  expect(lines.at(-1)).toBe('edge-1: answered, edge-2: answered');
});

test('schemas.mjs: publishes and handles only valid payloads', async () => {
  const one = await enter('s1', 0, 'game:43');
  const service = await readme.run('schemas.mjs', redis);
  await service.says('listening');
  expect(service.lines.find(line => line.startsWith('payload.to of moved: '))).toBeDefined();
  one.send({ type: 'move', room: 'game:43', id: 'm1', payload: { to: 7 } });
  expect(await one.nextFrame({ type: 'error', id: 'm1' })).toMatchObject({ payload: { code: 'INVALID_PAYLOAD' } });
  await service.says('refused: INVALID_PAYLOAD');
  one.send({ type: 'move', room: 'game:43', id: 'm2', payload: { to: 'e6' } });
  await service.says('moved to e6');
  service.stop();
  await service.ends();
});

test('lifecycle.mjs: hears members, and greets them', async () => {
  const service = await readme.run('lifecycle.mjs', redis);
  await service.says('listening');
  const one = await enter('l1', 1, 'hall:1');
  await service.says('member_joined l1');
  expect(await one.nextFrame('hello')).toMatchObject({ payload: { room: 'hall:1' } });
});

test('traced.mjs: publishes with its span, which no client sees', async () => {
  const member = await enter('t1', 0, 'general');
  const span = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  await (await readme.run('traced.mjs', [...redis, span])).ends();
  expect(JSON.stringify(await member.nextFrame('build.finished'))).not.toContain('4bf92f');
});

test('presence.mjs: the members of a room, the rooms of a user, the online count', async () => {
  await enter('u1', 0, 'general');
  const url = cluster.presence[0]?.adminUrl ?? '';
  // Presence applies the join a moment later.
  const lines = await eventually(async () => {
    const reply = await (await readme.run('presence.mjs', [...redis, url, API_KEY])).ends();
    return reply[0]?.includes('u1') && reply;
  });
  // Members of earlier stories remain for a moment.
  expect(lines[0]).toMatch(/^\d+ in general: (.*, )?u1(,|$)/);
  expect(lines.slice(1)).toEqual(["u1 true with 1 session in [ 'general' ]", 'true']);
});

test('control.mjs: adds sessions to rooms, removes and disconnects them', async () => {
  const [one, two] = [await enter('c1', 0, 'general', 'game:42'), await enter('c2', 1, 'game:42')];
  await (await readme.run('control.mjs', [...redis, 'c1', one.session, one.node])).ends();
  expect(await one.closed).toMatchObject({ code: 4200, reason: 'the account was closed' });
  const happened = one.frames.flatMap(({ type, payload }) =>
    /^room_(opened|closed)$/.test(type) ? [`${type} ${payload?.room_id} ${payload?.reason ?? ''}`.trim()] : [],
  );
  // Controls of different channels are not ordered against each other.
  expect(happened.sort()).toEqual([
    'room_closed game:42 the game is over',
    'room_closed general please be kind',
    'room_closed vip:1 one guest only',
    'room_opened vip:1',
  ]);
  await two.nextFrame({ type: 'room_closed', payload: { room_id: 'game:42' } });
});

test('tokens.mjs: tokens that grant their rooms', async () => {
  const [session = '', room = ''] = await (await readme.run('tokens.mjs', [TEST_JWT_SECRET])).ends();
  const one = await connect(cluster.edge(0).wsUrl, { name: 'u1', token: session });
  expect((await one.nextFrame('welcome')).payload).toMatchObject({ user: { id: 'u1', name: 'One' } });
  await one.join('chat:1');
  const join = await one.ask({ type: 'join_room', payload: { room_id: 'vip:1', token: room } });
  expect(join.type).toBe('ack');
});

test('embedded.mjs: a hub and its service in one process', async () => {
  const { HUBBUB_CONFIG } = withNamespaces({ game: { public: true, events: ['move'] } });
  const program = await readme.run('embedded.mjs', [TEST_JWT_SECRET, HUBBUB_CONFIG]);
  const url = await eventually(() => program.lines.find(line => line.startsWith('ws://')));
  const one = await connect(url, { name: 'u1', token: cluster.token({ user: 'u1' }) });
  await one.join('game:1');
  one.send({ type: 'move', room: 'game:1', id: 'm1' });
  await one.nextFrame({ type: 'seen', id: 'm1' });
  program.stop();
  expect(await program.exited).toBe(0);
});
