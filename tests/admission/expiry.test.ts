/** A session is not longer than its token, and `refresh` makes it longer without a new connection (PROTOCOL.md section 2.1). */

import { eventually, signToken, TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { startCluster, startEmbedded, type TestCluster } from '../support/cluster.js';
import { jwk, jwt, keyPair } from '../support/jwt.js';
import { startKeyServer } from '../support/key-server.js';
import { connect, type RawClient } from '../support/raw-client.js';

const LEEWAY_MS = 1000;
const ALL_ROOMS = ['*'];
/** Soon, and yet enough for what has to be done before on a busy machine. */
const SOON_MS = 4000;

const inMs = (ms: number) => Math.ceil((Date.now() + ms) / 1000);
/** A token that ends then, to the second. */
const token = (more: object = {}) =>
  jwt({ alg: 'HS256', key: TEST_JWT_SECRET, claims: { sub: 'alice', rooms: ALL_ROOMS, ...more } });

const refresh = (client: RawClient, newToken: unknown) => client.ask({ type: 'refresh', payload: { token: newToken } });

describe('expiry', () => {
  let cluster: TestCluster;
  let url: string;

  beforeAll(async () => {
    cluster = await startEmbedded({ env: { HUBBUB_JWT_LEEWAY_MS: String(LEEWAY_MS) } });
    url = cluster.edge(0).wsUrl;
  });

  test('welcome names the end of the session, which then ends with 4100', async () => {
    const exp = inMs(SOON_MS);
    const client = await connect(url, { token: token({ exp }) });
    const welcome = await client.nextFrame('welcome');
    expect(welcome.payload?.expires_at).toBe(new Date(exp * 1000 + LEEWAY_MS).toISOString());
    expect(welcome.payload?.expires_in_ms).toBeGreaterThan(0);
    expect(welcome.payload?.expires_in_ms).toBeLessThanOrEqual(SOON_MS + 1000 + LEEWAY_MS);
    const closing = await client.closed;
    expect(closing).toEqual({ code: 4100, reason: 'the token has expired' });
    expect(Date.now()).toBeGreaterThanOrEqual(exp * 1000 + LEEWAY_MS);
    await expect(connect(url, { token: token({ exp }) })).rejects.toThrow('401');
  });

  test('a token without an end: no expires_at, and no end', async () => {
    const client = await connect(url, { token: token() });
    expect((await client.nextFrame('welcome')).payload).not.toHaveProperty('expires_at');
  });

  test.each(['json', 'msgpack'] as const)('a refresh (%s) lets the session continue where it is', async encoding => {
    const room = `chat:refresh-${encoding}`;
    const client = await connect(url, { token: token({ exp: inMs(SOON_MS) }), encoding });
    const stays = await connect(url, { token: token({ sub: 'bob' }) });
    const measure = await connect(url, { token: token({ sub: 'measure', exp: inMs(SOON_MS) }) });
    for (const member of [client, stays]) await member.join(room);
    const exp = inMs(600_000);
    const answer = await refresh(client, token({ exp }));
    expect(answer).toMatchObject({
      type: 'ack',
      payload: { expires_at: new Date(exp * 1000 + LEEWAY_MS).toISOString(), expires_in_ms: expect.any(Number) },
    });
    // The session that was to end with it has ended: so would this one have.
    expect((await measure.closed).code).toBe(4100);
    stays.send({ type: 'send_message', room, payload: { n: 1 } });
    await client.nextFrame({ type: 'new_message', room, payload: { n: 1 } });
    await stays.noFrame({ type: 'user_left' });
  });

  test('a refresh without an id is answered, too, and one without an end names none', async () => {
    const client = await connect(url, { token: token({ exp: inMs(60_000) }) });
    client.send({ type: 'refresh', payload: { token: token() } });
    const ack = await client.nextFrame('ack');
    expect(ack.payload?.expires_at).toBeUndefined();
  });

  test('a refresh may bring an earlier end', async () => {
    const client = await connect(url, { token: token({ exp: inMs(600_000) }) });
    await refresh(client, token({ exp: inMs(500) }));
    expect((await client.closed).code).toBe(4100);
  });

  test('a token that does not renew is answered with an error, and changes nothing', async () => {
    const refused: readonly (readonly [what: string, code: string, token: unknown])[] = [
      ['of another user', 'FORBIDDEN', token({ sub: 'bob' })],
      ['expired', 'UNAUTHORIZED', token({ exp: inMs(-60_000) })],
      ['wrongly signed', 'UNAUTHORIZED', signToken({ user: 'alice', secret: 'another secret than that of the kit' })],
      ['a room token', 'UNAUTHORIZED', token({ room: 'general', exp: inMs(60_000) })],
      ['garbage', 'UNAUTHORIZED', 'garbage'],
      ['a number', 'INVALID_PAYLOAD', 7],
      ['empty', 'INVALID_PAYLOAD', ''],
      ['missing', 'INVALID_PAYLOAD', undefined],
    ];
    const attempt = async ([what, code, newToken]: (typeof refused)[number]) => {
      const client = await connect(url, { name: what, token: token({ rooms: ['chat:*'], exp: inMs(SOON_MS) }) });
      await client.join('chat:1');
      expect((await refresh(client, newToken)).payload, what).toMatchObject({ code });
      await client.join('chat:2');
      const answer = await client.ask({ type: 'join_room', payload: { room_id: 'news:1' } });
      expect(answer.payload, what).toMatchObject({ code: 'FORBIDDEN' });
      expect((await client.closed).code, what).toBe(4100);
    };
    await Promise.all(refused.map(attempt));
  });

  test('the rights are those of the new token: rooms that it does not open are left, and others are notified', async () => {
    const client = await connect(url, { token: token({ rooms: ['chat:*', 'news:*'] }) });
    const bob = await connect(url, { token: token({ sub: 'bob' }) });
    for (const room of ['chat:x', 'news:x']) {
      await bob.join(room);
      await client.join(room);
      await bob.nextFrame({ type: 'user_joined', room });
    }
    const answer = await refresh(client, token({ rooms: { 'chat:*': ['join'], 'quiz:*': ['join'] } }));
    expect(answer.type).toBe('ack');
    await client.nextFrame({
      type: 'room_closed',
      payload: { room_id: 'news:x', removed: true, reason: 'the new token does not open this room' },
    });
    await bob.nextFrame({ type: 'user_left', room: 'news:x' });
    await client.join('quiz:1');
    expect((await client.ask({ type: 'join_room', payload: { room_id: 'news:x' } })).payload?.code).toBe('FORBIDDEN');
    const publish = { type: 'send_message', room: 'chat:x', payload: {} };
    expect((await client.ask(publish)).payload?.code, 'the new token does not let it publish').toBe('FORBIDDEN');
    // It gets messages of the room that stayed, and not of the one that it was removed from.
    bob.send({ type: 'send_message', room: 'news:x', payload: {} });
    bob.send({ type: 'send_message', room: 'chat:x', payload: {} });
    await client.nextFrame({ type: 'new_message', room: 'chat:x' });
    await client.noFrame({ type: 'new_message', room: 'news:x' });
  });

  test('frames behind a refresh find the new rights: the order is kept', async () => {
    const client = await connect(url, { token: token({ rooms: ['chat:*'] }) });
    client.send({ type: 'refresh', id: 'r', payload: { token: token({ rooms: ['news:*'] }) } });
    client.send({ type: 'join_room', id: 'j', payload: { room_id: 'news:1' } });
    expect((await client.nextFrame({ id: 'r' })).type).toBe('ack');
    expect((await client.nextFrame({ id: 'j' })).type).toBe('ack');
  });

  test('hundreds that end in one second all end with 4100, and the edge answers others meanwhile', async () => {
    const exp = inMs(2 * SOON_MS);
    const clients = await Promise.all(
      Array.from({ length: 300 }, (_, i) => connect(url, { token: token({ sub: `u${i}`, exp }) })),
    );
    const other = await connect(url, { token: token({ sub: 'other' }) });
    const closings = await Promise.all(clients.map(({ closed }) => closed));
    expect(new Set(closings.map(({ code }) => code))).toEqual(new Set([4100]));
    await other.ping();
    const metrics = await (await fetch(`${cluster.edge(0).adminUrl}/metrics`)).text();
    expect(metrics).toMatch(/hubbub_edge_closes_total\{code="4100"\} [3-9]\d\d/);
  });
});

describe('expiry in a cluster', () => {
  test('a roster names no ended session; a user who reconnects with a new token within the grace was never away', async () => {
    const cluster = await startCluster({ edges: 2, env: { HUBBUB_JWT_LEEWAY_MS: '0' } });
    const bob = await connect(cluster.edge(1).wsUrl, { token: token({ sub: 'bob' }) });
    await bob.join('chat:1');
    const [back, gone] = await Promise.all(
      ['back', 'gone'].map(async sub => {
        const client = await connect(cluster.edge(0).wsUrl, { token: token({ sub, exp: inMs(2 * SOON_MS) }) });
        await client.join('chat:1');
        return client;
      }),
    );
    expect((await back?.closed)?.code).toBe(4100);
    const again = await connect(cluster.edge(1).wsUrl, { token: token({ sub: 'back' }) });
    await again.join('chat:1');
    expect((await gone?.closed)?.code).toBe(4100);
    await bob.nextFrame({ type: 'user_left', payload: { user: { id: 'gone' } } });
    await bob.noFrame({ type: 'user_left', payload: { user: { id: 'back' } } });
  });
});

describe('refresh with a key set', () => {
  const known = keyPair('Ed25519');
  const fresh = keyPair('Ed25519');
  const signed = (kid: string, { privateKey }: typeof known, more: object = {}) =>
    jwt({ alg: 'EdDSA', key: privateKey, header: { kid }, claims: { sub: 'alice', rooms: ['*'], ...more } });

  test('a key that has to be fetched first: the frames behind wait for it', async () => {
    const keys = await startKeyServer([jwk(known, { kid: 'known' })]);
    const cluster = await startEmbedded({
      env: { HUBBUB_JWT_JWKS_URL: keys.url, HUBBUB_JWT_JWKS_REFRESH_MS: '5000' },
    });
    const url = cluster.edge(0).wsUrl;
    const client = await connect(url, { token: signed('known', known, { rooms: ['chat:*'] }) });
    const other = await connect(url, { token: signed('known', known) });
    const releases: (() => void)[] = [];
    const fetched = keys.requests;
    keys.serve((_request, response) => {
      releases.push(() => void response.end(JSON.stringify({ keys: [jwk(fresh, { kid: 'fresh' })] })));
    });
    // An unknown key has the set read again, but not immediately after the last time: until then it is UNAUTHORIZED.
    await eventually(
      async () => {
        client.send({ type: 'refresh', id: 'r', payload: { token: signed('fresh', fresh, { rooms: ['news:*'] }) } });
        await other.ping();
        return keys.requests > fetched;
      },
      { describe: 'the key set is read for the unknown key' },
    );
    client.send({ type: 'join_room', id: 'j', payload: { room_id: 'news:1' } });
    await client.noFrame({ id: 'j' }, () => other.ping());
    await client.noFrame({ type: 'ack' }, () => other.ping());
    for (const release of releases) release();
    await client.nextFrame({ type: 'ack', id: 'r' });
    await client.nextFrame({ type: 'ack', id: 'j' });
  });

  test('a key set that is away: UNAVAILABLE, and nothing changes', async () => {
    const keys = await startKeyServer([jwk(known, { kid: 'known' })]);
    const cluster = await startEmbedded({
      env: { HUBBUB_JWT_JWKS_URL: keys.url, HUBBUB_JWT_JWKS_REFRESH_MS: '1000' },
    });
    const edge = cluster.edge(0);
    const client = await connect(edge.wsUrl, { token: signed('known', known, { rooms: ['chat:*'] }) });
    keys.fail();
    await edge.process.output.waitForLog({ event: 'jwks_fetch_failed' });
    expect((await refresh(client, signed('fresh', fresh))).payload).toMatchObject({ code: 'UNAVAILABLE' });
    await client.join('chat:1');
    expect((await client.ask({ type: 'join_room', payload: { room_id: 'news:1' } })).payload?.code).toBe('FORBIDDEN');
  });
});
