/** Presence by namespace: off, or with members that are kept while they are away. */
import type { RosterUser } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { beforeAll, expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { connect, type RawClient } from '../support/raw-client.js';
import { withNamespaces } from './config-file.js';

const OFFLINE_AFTER_MS = 1500;
const EXPIRE_AFTER_MS = 3000;
const NAMESPACES = {
  silent: { public: true, presence: 'off' },
  quiz: { public: true, keepMembers: { offlineAfterMs: OFFLINE_AFTER_MS, expireAfterMs: 600_000 } },
  short: { public: true, keepMembers: { offlineAfterMs: 0, expireAfterMs: EXPIRE_AFTER_MS } },
};

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startCluster({ edges: 2, env: { ...withNamespaces(NAMESPACES), HUBBUB_PRESENCE_API_KEYS: 'key' } });
});

async function enter(user: string, edge: number, room: string): Promise<RawClient> {
  const client = await connect(cluster.edge(edge).wsUrl, { name: user, token: cluster.token({ user }) });
  await client.join(room);
  return client;
}

const userOf = (frame: { payload?: unknown } | undefined) =>
  (frame?.payload as { user: RosterUser } | undefined)?.user as RosterUser;

async function usersOf(member: RawClient, room: string): Promise<RosterUser[]> {
  return ((await member.ask({ type: 'online_users', room })).payload?.users ?? []) as RosterUser[];
}

test('where presence is off, online_users is refused immediately, and joins are not announced', async () => {
  const room = 'silent:hall';
  const alice = await enter('alice', 0, room);
  const answer = await alice.ask({ type: 'online_users', room });
  expect(answer).toMatchObject({ type: 'error', room, payload: { code: 'FORBIDDEN' } });
  expect(answer.payload?.message).toContain('Presence is off');
  const bob = await enter('bob', 1, room);
  for (const member of [alice, bob]) {
    // Behind the first join on its way through presence and back.
    await member.join('barrier');
    await member.nextFrame({ type: 'room_info', room: 'barrier' });
  }
  await bob.ask({ type: 'send_message', room, payload: { content: 'hi' } });
  await alice.nextFrame('new_message');
  for (const member of [alice, bob]) {
    await member.noFrame(
      frame => frame.room === room && ['room_info', 'user_joined', 'room_count'].includes(frame.type),
    );
  }
});

test('a kept member that drops is away after the silence, with last_seen; is online after it reconnects; is gone when it leaves', async () => {
  const room = 'quiz:42';
  const host = await enter('host', 0, room);
  const player = await enter('player', 1, room);
  await host.nextFrame({ type: 'user_joined', payload: { user: { id: 'player' } } });

  const droppedAt = Date.now();
  await player.terminate();
  const away = userOf(await host.nextFrame('user_status'));
  expect(away).toMatchObject({ id: 'player', online: false });
  const seenAt = Date.parse(away.last_seen ?? '');
  expect(away.last_seen).toMatch(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/);
  // Clocks of two processes, whose milliseconds are rounded.
  expect(seenAt).toBeGreaterThanOrEqual(droppedAt - 10);
  expect(Date.now() - seenAt).toBeGreaterThanOrEqual(OFFLINE_AFTER_MS);

  expect(await usersOf(host, room)).toContainEqual(away);
  const late = await enter('late', 1, room);
  const info = await late.nextFrame('room_info');
  expect(info.payload).toMatchObject({ count: 3 });
  expect(info.payload?.users).toContainEqual(away);
  const headers = { authorization: 'Bearer key' };
  const http = await fetch(`${cluster.presence[0]?.adminUrl}/rooms/${room}/roster?online=false`, { headers });
  const { users } = (await http.json()) as { users: object[] };
  expect(users).toEqual([{ id: 'player', name: 'player', online: false, last_seen: away.last_seen, sessions: [] }]);

  const again = await enter('player', 0, room);
  const back = userOf(await host.nextFrame('user_status'));
  expect(back).toEqual({ id: 'player', name: 'player' });
  expect(host.frames.filter(({ type }) => type === 'user_left')).toEqual([]);

  await again.ask({ type: 'leave_room', payload: { room_id: room } });
  expect(userOf(await host.nextFrame('user_left')).id).toBe('player');
  expect((await usersOf(host, room)).map(({ id }) => id)).toEqual(['host', 'late']);
});

test('a kept member that stays away expires, and its leave is reported once', async () => {
  const room = 'short:1';
  const host = await enter('host', 0, room);
  const player = await enter('player', 1, room);
  await host.nextFrame({ type: 'user_joined', payload: { user: { id: 'player' } } });
  await player.terminate();
  const away = userOf(await host.nextFrame('user_status'));
  expect(away).toMatchObject({ id: 'player', online: false });
  await host.nextFrame({ type: 'user_left', payload: { user: { id: 'player' }, count: 1 } });
  expect(Date.now() - Date.parse(away.last_seen ?? '')).toBeGreaterThanOrEqual(EXPIRE_AFTER_MS);
  await eventually(async () => (await usersOf(host, room)).length === 1);
  expect(host.frames.filter(({ type }) => type === 'user_left')).toHaveLength(1);
});
