/** The authorizer: what it is asked, what its answers mean, and how long they are remembered (docs/authorizer.md). */

import { eventually, metricValue } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { connect, connectRefused } from '../support/raw-client.js';
import { says } from './authorizer-double.js';
import { code, join, KEY, send, start } from './authorizer-story.js';

describe('questions', () => {
  test('a connect, with path, room and address; then the join of the room in the path; both before the upgrade', async () => {
    const { authorizer, cluster } = await start({ HUBBUB_AUTHORIZE_CONNECTIONS: 'true' });
    const token = cluster.token({ user: 'ada', name: 'Ada' });
    await connect(`${cluster.edge(0).wsUrl}?token=${token}`);
    await connect(cluster.edge(0).roomUrl('club:1'), { token });
    const user = { id: 'ada', name: 'Ada' };
    expect(authorizer.questions).toMatchObject([
      { action: 'connect', user, address: '127.0.0.1', path: '/ws' },
      { action: 'connect', user, path: '/rooms/club%3A1/ws', room: 'club:1' },
      { action: 'join', user, address: '127.0.0.1', room: 'club:1' },
    ]);
    expect(authorizer.questions[0]).not.toHaveProperty('room');
    expect(authorizer.questions[0]).not.toHaveProperty('anonymous');
    expect(authorizer.headers[0]).toMatchObject({
      authorization: `Bearer ${KEY}`,
      'content-type': 'application/json',
    });
    expect(JSON.stringify(authorizer.questions)).not.toContain(token);
  });

  test('a refresh is refused for a user that may not connect any more', async () => {
    const { authorizer, cluster } = await start({ HUBBUB_AUTHORIZE_CONNECTIONS: 'true' });
    const token = cluster.token({ user: 'ada' });
    const client = await connect(`${cluster.edge(0).wsUrl}?token=${token}`);
    authorizer.answer = (_, response) => says(response, { allow: false, reason: 'the account was closed' });
    const answer = await client.ask({ type: 'refresh', payload: { token: cluster.token({ user: 'ada' }) } });
    expect(answer).toMatchObject({ type: 'error', payload: { code: 'FORBIDDEN', message: 'the account was closed' } });
    expect(authorizer.questions.at(-1)).toMatchObject({ action: 'refresh', user: { id: 'ada' }, address: '127.0.0.1' });
  });

  test('joins and messages only of namespaces with that setting, after the token allowed them; not typing', async () => {
    const { authorizer, enter } = await start();
    const client = await enter('ada');
    await client.join('general');
    await send(client, 'general', { n: 0 });
    await client.join('wall:1');
    await client.ask({ type: 'typing', room: 'wall:1' });
    expect(authorizer.questions).toEqual([]);
    expect(code(await join(client, 'secret:1'))).toBe('FORBIDDEN');
    expect(code(await send(client, 'wall:2'))).toBe('NOT_IN_ROOM');
    expect(authorizer.questions).toEqual([]);
    await client.join('club:1');
    await client.join('club:1');
    await client.ask({ type: 'resume', payload: { rooms: [{ room_id: 'club:1' }, { room_id: 'club:2' }] } });
    await send(client, 'wall:1', { n: 1 });
    expect(authorizer.questions.map(({ action, room, payload }) => ({ action, room, payload }))).toEqual([
      { action: 'join', room: 'club:1' },
      { action: 'join', room: 'club:2' },
      { action: 'publish', room: 'wall:1', payload: { n: 1 } },
    ]);
  });

  test('messages of a MessagePack session, as JSON sessions would get them', async () => {
    const { authorizer, enter } = await start();
    const client = await enter('ada', 'msgpack');
    await client.join('wall:1');
    await send(client, 'wall:1', { bytes: Uint8Array.of(0, 1, 255) });
    expect(authorizer.questions[0]?.payload).toEqual({ bytes: { $base64: 'AAH/' } });
  });

  test('sessions without a token, as such', async () => {
    const { authorizer, cluster } = await start({ HUBBUB_AUTHORIZE_CONNECTIONS: 'true' });
    const client = await connect(cluster.edge(0).wsUrl);
    await client.join('guests:1');
    expect(authorizer.questions).toMatchObject([
      { action: 'connect', anonymous: true, user: { name: 'Anonymous' } },
      { action: 'join', anonymous: true, room: 'guests:1' },
    ]);
  });
});

describe('answers', () => {
  test('no is FORBIDDEN with its reason, of which at most 200 characters are shown', async () => {
    const { authorizer, cluster, enter } = await start({ HUBBUB_AUTHORIZE_CONNECTIONS: 'true' });
    authorizer.answer = ({ user, action }, response) =>
      says(
        response,
        action === 'connect' && user.id !== 'eve' ? { allow: true } : { allow: false, reason: 'no '.repeat(100) },
      );
    const shown = 'no '.repeat(100).slice(0, 200);
    const client = await enter('ada');
    expect((await join(client, 'club:1')).payload).toEqual({ code: 'FORBIDDEN', message: shown });
    const answer = await client.ask({ type: 'resume', payload: { rooms: [{ room_id: 'club:2' }] } });
    expect(answer.payload?.rooms).toEqual([{ room_id: 'club:2', error: { code: 'FORBIDDEN', message: shown } }]);
    expect(code(await send(client, 'club:1'))).toBe('NOT_IN_ROOM');
    await client.join('wall:1');
    expect((await send(client, 'wall:1')).payload).toEqual({ code: 'FORBIDDEN', message: shown });
    const { roomUrl, wsUrl } = cluster.edge(0);
    expect(await connectRefused(roomUrl('club:1'), { token: cluster.token({ user: 'ada' }) })).toMatchObject({
      status: 403,
    });
    const refused = await connectRefused(wsUrl, { token: cluster.token({ user: 'eve' }) });
    expect(refused.status).toBe(403);
    expect(JSON.parse(refused.body)).toEqual({ code: 'FORBIDDEN', message: shown });
  });

  test('unauthorized is 401 at a connect, and FORBIDDEN at a join', async () => {
    const { authorizer, cluster, enter } = await start({ HUBBUB_AUTHORIZE_CONNECTIONS: 'true' });
    authorizer.answer = ({ user, action }, response) =>
      says(
        response,
        user.id === 'ada' && action === 'connect' ? { allow: true } : { allow: false, unauthorized: true },
      );
    const refused = await connectRefused(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'eve' }) });
    expect(refused.status).toBe(401);
    expect(refused.headers['www-authenticate']).toBe('Bearer');
    expect(code(await join(await enter('ada'), 'club:1'))).toBe('FORBIDDEN');
  });

  test('a refused message reaches no client; allowed ones keep their order, however long the answers take', async () => {
    const { authorizer, enter } = await start();
    const waiting: (() => void)[] = [];
    authorizer.answer = ({ payload }, response) => {
      const answer = () => says(response, { allow: payload?.bad !== true });
      if (payload?.n === 0) waiting.push(answer);
      else answer();
    };
    const [ada, bob] = [await enter('ada'), await enter('bob')];
    for (const client of [ada, bob]) await client.join('wall:1');
    for (let n = 0; n < 5; n++)
      ada.send({ type: 'send_message', room: 'wall:1', id: `m${n}`, payload: { n, bad: n === 2 } });
    await eventually(() => waiting.length === 1, { describe: 'the first question came' });
    expect(authorizer.questions).toHaveLength(1);
    for (const answer of waiting) answer();
    for (const n of [0, 1, 3, 4]) await bob.nextFrame({ type: 'new_message', payload: { n } });
    expect(bob.frames.filter(({ type }) => type === 'new_message').map(({ payload }) => payload?.n)).toEqual([
      0, 1, 3, 4,
    ]);
    expect(await ada.nextFrame({ id: 'm2' })).toMatchObject({ type: 'error', payload: { code: 'FORBIDDEN' } });
  });

  test('a session that leaves during a question joins nothing', async () => {
    const { authorizer, enter, edge, questions } = await start();
    const waiting: (() => void)[] = [];
    authorizer.answer = ({ user }, response) => {
      if (user.id === 'ada') waiting.push(() => says(response, { allow: true }));
      else says(response, { allow: true });
    };
    const bob = await enter('bob');
    await bob.join('club:1');
    const ada = await enter('ada');
    ada.send({ type: 'join_room', payload: { room_id: 'club:1' } });
    await eventually(() => waiting.length === 1);
    await ada.terminate();
    await eventually(async () => (await metricValue(edge, 'hubbub_edge_sessions')) === 1, {
      describe: 'the session is gone',
    });
    for (const answer of waiting) answer();
    await eventually(async () => (await questions('join', 'allowed')) === 2);
    expect((await bob.ask({ type: 'online_users', room: 'club:1' })).payload).toMatchObject({ count: 1 });
  });
});

describe('answers are remembered', () => {
  test('caches answers about connects and joins, and about messages only with a time to live', async () => {
    const { authorizer, enter, questions } = await start({ HUBBUB_AUTHORIZE_CONNECTIONS: 'true' });
    authorizer.answer = ({ payload }, response) =>
      says(response, { allow: true, ...(payload?.once === true && { ttl_ms: 60_000 }) });
    const [one, two] = [await enter('ada'), await enter('ada')];
    for (const client of [one, two])
      for (const room of ['club:1', 'club:2', 'wall:1', 'wall:2']) await client.join(room);
    const asked = (action: string) => authorizer.questions.filter(question => question.action === action);
    expect(asked('connect')).toHaveLength(1);
    expect(asked('join').map(({ room }) => room)).toEqual(['club:1', 'club:2']);
    expect(await questions('join', 'cached')).toBe(2);
    await join(await enter('bob'), 'club:1');
    expect(authorizer.askedOf('bob')).toHaveLength(2);

    for (const n of [1, 2]) await send(one, 'wall:1', { n });
    expect(asked('publish')).toHaveLength(2);
    await send(one, 'wall:2', { once: true });
    for (const client of [one, two]) await send(client, 'wall:2', { other: 'payload' });
    expect(asked('publish').map(({ room }) => room)).toEqual(['wall:1', 'wall:1', 'wall:2']);
    await send(one, 'wall:1', { n: 3 });
    expect(asked('publish')).toHaveLength(4);
  });

  test('caches for the time to live of the answer, a refusal too; 0 means not at all', async () => {
    const { authorizer, enter } = await start();
    let allow = false;
    const ttls: Record<string, number> = { 'club:short': 300, 'club:never': 0, 'club:long': 60_000 };
    authorizer.answer = ({ room = '' }, response) => says(response, { allow, ttl_ms: ttls[room] });
    const client = await enter('ada');
    for (const room of Object.keys(ttls)) expect(code(await join(client, room))).toBe('FORBIDDEN');
    allow = true;
    expect(code(await join(client, 'club:never'))).toBe('ok');
    expect(code(await join(client, 'club:long'))).toBe('FORBIDDEN');
    await eventually(async () => code(await join(client, 'club:short')) === 'ok');
    expect(authorizer.questions.filter(({ room }) => room === 'club:short')).toHaveLength(2);
  });

  test('HUBBUB_AUTHORIZER_CACHE_MS=0 has each asked; the cache is bounded', async () => {
    const { authorizer, enter } = await start({ HUBBUB_AUTHORIZER_CACHE_MS: '0' });
    const [one, two] = [await enter('ada'), await enter('ada')];
    for (const client of [one, two]) await client.join('club:1');
    expect(authorizer.questions).toHaveLength(2);

    const small = await start({ HUBBUB_AUTHORIZER_CACHE_SIZE: '1' });
    const [three, four] = [await small.enter('eve'), await small.enter('eve')];
    await three.join('club:1');
    await three.join('club:2');
    await four.join('club:2');
    expect(small.authorizer.askedOf('eve')).toHaveLength(2);
    await four.join('club:1');
    expect(small.authorizer.askedOf('eve')).toHaveLength(3);
  });

  test('equal pending questions are one', async () => {
    const { authorizer, enter, questions } = await start({ HUBBUB_AUTHORIZER_CACHE_MS: '0' });
    const waiting: (() => void)[] = [];
    authorizer.answer = (_, response) => waiting.push(() => says(response, { allow: true }));
    const clients = await Promise.all(Array.from({ length: 20 }, () => enter('ada')));
    const joins = clients.map(client => join(client, 'club:1'));
    await eventually(async () => waiting.length === 1 && (await questions('join', 'shared')) === 19);
    for (const answer of waiting) answer();
    expect((await Promise.all(joins)).map(code)).toEqual(Array.from({ length: 20 }, () => 'ok'));
    expect(authorizer.questions).toHaveLength(1);
  });
});
