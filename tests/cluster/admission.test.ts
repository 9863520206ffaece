/** The edge decides about admission before the upgrade (PROTOCOL.md section 1). */

import { TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { createSigner } from 'fast-jwt';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Environment, startEmbedded, type TestCluster } from '../support/cluster.js';
import { connect, connectRefused } from '../support/raw-client.js';

const ALLOWED = 'https://app.example';

describe('admission', () => {
  let cluster: TestCluster;
  let url: string;

  beforeAll(async () => {
    cluster = await startEmbedded({
      env: { HUBBUB_ALLOWED_ORIGINS: `${ALLOWED},http://localhost:3000` } satisfies Environment,
    });
    url = cluster.edge(0).wsUrl;
  });

  const sign = (claims: object, secret = TEST_JWT_SECRET) =>
    createSigner({ key: secret, algorithm: 'HS256', expiresIn: '1h' })({ ...claims });
  const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const unsigned = (alg: string) => `${base64url({ alg, typ: 'JWT' })}.${base64url({ sub: 'mallory' })}.`;

  test.each(['header', 'subprotocol', 'query'] as const)('a token in the %s opens a session', async tokenIn => {
    const client = await connect(url, { token: cluster.token({ user: 'zoë', name: 'Zoë' }), tokenIn });
    expect((await client.nextFrame('welcome')).payload?.user).toEqual({ id: 'zoë', name: 'Zoë' });
  });

  test('a bare token as the only subprotocol opens a JSON session and is echoed, as browsers require', async () => {
    const token = cluster.token({ user: 'browser' });
    const client = await connect(url, { subprotocols: [token] });
    expect(client.subprotocol).toBe(token);
    await client.nextFrame('welcome');
  });

  test('chooses the first supported subprotocol, and does not echo the token beside it', async () => {
    const token = cluster.token({ user: 'u' });
    const client = await connect(url, {
      subprotocols: ['other', `bearer.${token}`, 'hubbub.v1.msgpack'],
      encoding: 'msgpack',
    });
    expect(client.subprotocol).toBe('hubbub.v1.msgpack');
    await client.nextFrame('welcome');
  });

  test('the id serves as the name if the token has no name', async () => {
    const client = await connect(url, { token: sign({ sub: 'u7' }) });
    expect((await client.nextFrame('welcome')).payload?.user).toEqual({ id: 'u7', name: 'u7' });
  });

  test.each<[string, () => string | undefined]>([
    ['no token', () => undefined],
    ['an empty token', () => ''],
    ['not a token', () => 'abc'],
    ['signed with another secret', () => sign({ sub: 'mallory' }, 'another secret that is long enough to sign')],
    ['expired', () => createSigner({ key: TEST_JWT_SECRET, algorithm: 'HS256' })({ sub: 'mallory', exp: 1 })],
    ['unsigned (alg: none)', () => unsigned('none')],
    ['unsigned (alg: HS256)', () => unsigned('HS256')],
    ['signed with HS512', () => createSigner({ key: TEST_JWT_SECRET, algorithm: 'HS512' })({ sub: 'mallory' })],
    ['without sub', () => sign({ name: 'nobody' })],
    ['with an empty sub', () => sign({ sub: '' })],
    ['with a sub of 129 bytes', () => sign({ sub: 'x'.repeat(129) })],
    ['with a line break in its sub', () => sign({ sub: 'a\nb' })],
    ['with rooms that are a number', () => sign({ sub: 'u', rooms: 7 })],
    [
      'with its payload changed',
      () => sign({ sub: 'mallory' }).replace(/\.(.*)\./, `.${base64url({ sub: 'admin' })}.`),
    ],
  ])('%s: 401 before the upgrade, with the reason and never the token', async (_, token) => {
    const offered = token();
    const refused = await connectRefused(url, offered === undefined ? {} : { token: offered, tokenIn: 'query' });
    expect(refused.status).toBe(401);
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'UNAUTHORIZED', message: expect.any(String) });
    expect(refused.headers['www-authenticate']).toBe('Bearer');
    if (offered !== undefined && offered.length > 10) expect(refused.body).not.toContain(offered);
    expect(cluster.edge(0).process.output.lines.join()).not.toContain(offered || '\u0000');
  });

  test('admits listed origins and programs without an origin, and answers other origins with 403', async () => {
    const token = cluster.token({ user: 'u' });
    await connect(url, { token, headers: { origin: ALLOWED } });
    await connect(url, { token });
    for (const origin of [
      'https://evil.example',
      `${ALLOWED}.evil.example`,
      'null',
      ALLOWED.replace('https', 'http'),
    ]) {
      const refused = await connectRefused(url, { token, headers: { origin } });
      expect(refused, origin).toMatchObject({ status: 403 });
      expect(JSON.parse(refused.body).code).toBe('ORIGIN_NOT_ALLOWED');
    }
  });

  test('the token grants rooms: by patterns, by an object of rights, or every public one', async () => {
    const patterns = await connect(url, { token: sign({ sub: 'u', rooms: ['chat:*', 'lobby'] }) });
    for (const room of ['chat:42', 'lobby']) await patterns.join(room);
    for (const room of ['general', 'lobby2', 'chat', 'quiz:1']) {
      const answer = await patterns.ask({ type: 'join_room', payload: { room_id: room } });
      expect(answer.payload, room).toMatchObject({ code: 'FORBIDDEN' });
    }
    const reader = await connect(url, { token: sign({ sub: 'r', rooms: { 'news:*': ['join'] } }) });
    await reader.join('news:today');
    expect((await reader.ask({ type: 'send_message', room: 'news:today', payload: {} })).payload).toMatchObject({
      code: 'FORBIDDEN',
    });
    expect((await reader.ask({ type: 'typing', room: 'news:today' })).payload).toMatchObject({ code: 'FORBIDDEN' });
    expect((await reader.ask({ type: 'online_users', room: 'news:today' })).payload).toMatchObject({
      code: 'FORBIDDEN',
    });
    const anyone = await connect(url, { token: sign({ sub: 'a' }) });
    await anyone.join('general');
    expect((await anyone.ask({ type: 'join_room', payload: { room_id: 'chat:1' } })).payload).toMatchObject({
      code: 'FORBIDDEN',
    });
  });

  test('answers an invalid room in the path with 400, and a room that the token does not grant with 403', async () => {
    const token = sign({ sub: 'u', rooms: ['chat:*'] });
    const { roomUrl } = cluster.edge(0);
    expect(await connectRefused(roomUrl('a}b'), { token })).toMatchObject({ status: 400 });
    expect(await connectRefused(roomUrl('%').replace('%25', '%'), { token })).toMatchObject({ status: 400 });
    expect(await connectRefused(roomUrl('quiz:1'), { token })).toMatchObject({ status: 403 });
    const client = await connect(roomUrl('chat:1'), { token });
    expect((await client.nextFrame('welcome')).payload?.rooms).toEqual(['chat:1']);
  });

  test('answers other paths with 404, plain HTTP on a WebSocket path with 426, and never upgrades a POST', async () => {
    const { httpUrl, socketUrl } = cluster.edge(0);
    expect((await fetch(`${httpUrl}/nothing`)).status).toBe(404);
    const token = cluster.token({ user: 'u' });
    for (const path of ['/ws', '/rooms/general/ws']) {
      expect((await fetch(`${httpUrl}${path}?token=${token}`)).status).toBe(426);
    }
    expect((await fetch(`${httpUrl}/ws`, { method: 'POST', body: 'x' })).status).toBe(405);
    expect(await connectRefused(socketUrl('/nothing'), { token })).toMatchObject({ status: 404 });
  });
});
