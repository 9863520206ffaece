/** Sessions without a token: only where a namespace has rights for them, and for nothing else. */
import type { RosterUser } from '@hubbub/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { startEmbedded, type TestCluster } from '../support/cluster.js';
import { connect, connectRefused, type RawClient } from '../support/raw-client.js';
import { roomToken, signClaims } from './claims.js';

const NAMESPACES = {
  lobby: { anonymousRights: ['join', 'presence'] },
  guestbook: { anonymousRights: ['join', 'publish'] },
  vip: { anonymousRights: ['join'], requireRoomToken: true },
};

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startEmbedded({ env: withNamespaces(NAMESPACES) });
});

const guest = () => connect(cluster.edge(0).wsUrl, { name: 'guest' });
const codeOf = async (client: RawClient, frame: object) => {
  const answer = await client.ask(frame);
  return answer.type === 'error' ? answer.payload?.code : 'ok';
};

describe('without a token', () => {
  test('each session is a user of its own, called Anonymous', async () => {
    const welcomes = await Promise.all([guest(), guest()].map(async client => (await client).nextFrame('welcome')));
    const users = welcomes.map(({ payload }) => payload?.user as { id: string; name: string });
    for (const [index, { payload }] of welcomes.entries()) {
      expect(users[index]).toEqual({ id: `anonymous:${payload?.session_id}`, name: 'Anonymous' });
    }
    expect(users[0]?.id).not.toBe(users[1]?.id);
  });

  test('it may do what the namespace lists, and nothing where nothing is listed, public rooms included', async () => {
    const client = await guest();
    await client.join('lobby:1');
    expect(await codeOf(client, { type: 'online_users', room: 'lobby:1' })).toBe('ok');
    expect(await codeOf(client, { type: 'send_message', room: 'lobby:1', payload: {} })).toBe('FORBIDDEN');
    await client.join('guestbook:1');
    expect(await codeOf(client, { type: 'send_message', room: 'guestbook:1', payload: {} })).toBe('ok');
    expect(await codeOf(client, { type: 'online_users', room: 'guestbook:1' })).toBe('FORBIDDEN');
    for (const room of ['general', 'chat:1', 'vip:1', 'lobby']) {
      expect(await codeOf(client, { type: 'join_room', payload: { room_id: room } }), room).toBe('FORBIDDEN');
    }
    const answer = await client.ask({ type: 'resume', payload: { rooms: [{ room_id: 'general' }] } });
    expect(answer.payload?.rooms).toMatchObject([{ error: { code: 'FORBIDDEN' } }]);
  });

  test('a room token may name it', async () => {
    const client = await guest();
    const { payload } = await client.nextFrame('welcome');
    const { id } = (payload as { user: RosterUser }).user;
    const token = roomToken({ user: id, room: 'vip:1' });
    expect(await codeOf(client, { type: 'join_room', payload: { room_id: 'vip:1', token } })).toBe('ok');
    const others = roomToken({ user: 'alice', room: 'vip:2' });
    expect(await codeOf(client, { type: 'join_room', payload: { room_id: 'vip:2', token: others } })).toBe('FORBIDDEN');
  });

  test('a room in the path opens where the namespace lets it', async () => {
    const { roomUrl } = cluster.edge(0);
    const client = await connect(roomUrl('lobby:2'));
    expect((await client.nextFrame('welcome')).payload?.rooms).toEqual(['lobby:2']);
    expect(await connectRefused(roomUrl('general'))).toMatchObject({ status: 403 });
    expect(await connectRefused(roomUrl('vip:2'))).toMatchObject({ status: 403 });
  });

  test('rosters show it like any user, and it is the sender of its messages', async () => {
    const member = await connect(cluster.edge(0).wsUrl, {
      token: cluster.token({ user: 'member', rooms: ['guestbook:*'] }),
    });
    await member.join('guestbook:2');
    const client = await guest();
    const { user } = (await client.nextFrame('welcome')).payload as { user: RosterUser };
    await client.join('guestbook:2');
    await member.nextFrame({ type: 'user_joined', payload: { user } });
    expect((await member.ask({ type: 'online_users', room: 'guestbook:2' })).payload?.users).toContainEqual(user);
    await client.ask({ type: 'send_message', room: 'guestbook:2', payload: { content: 'hi' } });
    expect((await member.nextFrame('new_message')).sender).toEqual(user);
  });
});

describe('a token that is there but not good is never taken for none', () => {
  test.each<[string, () => { url?: string; headers?: Record<string, string>; subprotocols?: string[] }]>([
    ['an empty one in the query', () => ({ url: '?token=' })],
    ['one in the query that cannot be decoded', () => ({ url: '?token=%ZZ' })],
    ['one in the query that is cut in the middle of a letter', () => ({ url: '?token=%E4%' })],
    ['one in the query without a value', () => ({ url: '?token' })],
    ['an expired one', () => ({ url: `?token=${signClaims({ sub: 'u', exp: 1 })}` })],
    ['a Bearer without a token', () => ({ headers: { authorization: 'Bearer' } })],
    ['a Bearer with two', () => ({ headers: { authorization: 'Bearer a b' } })],
    ['an empty one in the subprotocols', () => ({ subprotocols: ['hubbub.v1.json', 'bearer.'] })],
    ['nonsense in the subprotocols', () => ({ subprotocols: ['hubbub.v1.json', 'bearer.abc'] })],
    ['one that names an anonymous user', () => ({ url: `?token=${signClaims({ sub: 'anonymous:x.1' })}` })],
  ])('%s: 401', async (_, make) => {
    const { url = '', ...options } = make();
    expect(await connectRefused(`${cluster.edge(0).wsUrl}${url}`, options)).toMatchObject({ status: 401 });
  });

  test('where no namespace has rights for them, no token is 401', async () => {
    const closed = await startEmbedded({ env: withNamespaces({ chat: { public: true, anonymousRights: [] } }) });
    expect(await connectRefused(closed.edge(0).wsUrl)).toMatchObject({ status: 401 });
  });
});
