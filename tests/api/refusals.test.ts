/** The API admits requests with a key, bounds their size, and names the error of the others. */

import { eventually } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { runHubbub } from '../support/process.js';
import { API_KEY, type ApiProcess, startApi } from './api-process.js';

let cluster: TestCluster;
let api: ApiProcess;

beforeAll(async () => {
  cluster = await startCluster({ edges: 0, presence: 0 });
  api = await startApi(cluster, {
    env: { HUBBUB_API_MAX_BODY_BYTES: '2048', HUBBUB_API_REQUEST_TIMEOUT_MS: '500', HUBBUB_API_MAX_REQUESTS: '4' },
  });
});

describe('keys', () => {
  test('each of several keys is accepted, whatever the case of the scheme', async () => {
    for (const key of [API_KEY, 'another-key']) expect((await api.ask('GET', '/online', { key })).status).toBe(200);
    const headers = { authorization: `bearer ${API_KEY}` };
    expect((await api.ask('GET', '/online', { key: null, headers })).status).toBe(200);
  });

  test.each<[string, string | null, Record<string, string>]>([
    ['none', null, {}],
    ['a wrong one', 'a-key-of-the-test', {}],
    ['the beginning of one', API_KEY.slice(0, -1), {}],
    ['an empty one', '', {}],
    ['two in one', `another-key,${API_KEY}`, {}],
    ['another scheme', null, { authorization: `Basic ${API_KEY}` }],
  ])('%s: 401, and nothing is published', async (_, key, headers) => {
    const answer = await api.ask('POST', '/messages', { body: { type: 'a' }, key, headers });
    expect(answer).toMatchObject({ status: 401, body: { code: 'UNAUTHORIZED' } });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(await api.metric('hubbub_api_publishes_total')).toBe(0);
  });

  test('without any configured key the API is closed, and logs it', async () => {
    const closed = await startApi(cluster, { env: { HUBBUB_API_KEYS: '' } });
    await closed.process.output.waitForLog({ event: 'api_closed' });
    for (const key of [API_KEY, '', 'undefined']) {
      const { status, body } = await closed.ask('GET', '/online', { key });
      expect(status).toBe(401);
      expect(body.message).toContain('HUBBUB_API_KEYS is not set');
    }
    expect((await closed.ask('GET', '/openapi.json', { key: null })).status).toBe(200);
  });

  test('the API does not wait for the body of a request without a key', async () => {
    const answer = await api.exchange(
      'POST /messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\nconnection: close\r\n\r\n',
    );
    expect(answer).toContain('HTTP/1.1 401');
  });
});

describe('errors name the code and the field', () => {
  test.each<[string, string, unknown, number, string, string]>([
    ['no body', '/messages', undefined, 400, 'INVALID_FORMAT', 'the body'],
    ['a reserved type', '/messages', { all: true, type: 'ack' }, 400, 'INVALID_FORMAT', 'type'],
    ['a reserved type to a room', '/rooms/a/messages', { type: 'room_closed' }, 400, 'INVALID_FORMAT', 'type'],
    ['a reserved type to a user', '/users/a/messages', { type: 'error' }, 400, 'INVALID_FORMAT', 'type'],
    ['no object', '/messages', [], 400, 'INVALID_FORMAT', 'the body'],
    ['no type', '/messages', { all: true }, 400, 'INVALID_FORMAT', 'type'],
    ['a type outside the grammar', '/messages', { all: true, type: 'Build' }, 400, 'INVALID_FORMAT', 'type'],
    ['a type of Hubbub’s own', '/messages', { all: true, type: 'hubbub.close_room' }, 400, 'INVALID_FORMAT', 'type'],
    ['an unknown field', '/messages', { all: true, type: 'a', exclude: 'x' }, 400, 'INVALID_FORMAT', 'exclude'],
    ['a payload that is text', '/messages', { all: true, type: 'a', payload: 'x' }, 400, 'INVALID_PAYLOAD', 'payload'],
    ['a payload that is a list', '/messages', { all: true, type: 'a', payload: [] }, 400, 'INVALID_PAYLOAD', 'payload'],
    ['half a sender', '/messages', { all: true, type: 'a', sender: { id: 'x' } }, 400, 'INVALID_FORMAT', 'sender.name'],
    ['an id that is too long', '/messages', { all: true, type: 'a', id: 'é'.repeat(33) }, 400, 'INVALID_FORMAT', 'id'],
    [
      'a key with a space',
      '/messages',
      { all: true, type: 'a', idempotency_key: 'a b' },
      400,
      'INVALID_FORMAT',
      'idempotency_key',
    ],
    ['no target', '/messages', { type: 'a' }, 400, 'INVALID_FORMAT', 'exactly one of room_id, user_id and all'],
    ['a dot segment as the user', '/messages', { user_id: '..', type: 'a' }, 400, 'INVALID_FORMAT', 'user_id'],
    ['a user that the URL has lost', '/users/../messages', { type: 'a' }, 400, 'INVALID_FORMAT', 'exactly one of'],
    ['a room that the URL has lost', '/rooms/./close', {}, 400, 'INVALID_ROOM', 'room_id'],
    ['half a surrogate pair as the user', '/users/%ED%A0%BD/messages', { type: 'a' }, 400, 'INVALID_FORMAT', 'percent'],
    ['a wildcard as the user', '/users/*/messages', { type: 'a' }, 400, 'INVALID_FORMAT', 'wildcard'],
    ['a control character as the user', '/users/a%C2%85/disconnect', {}, 400, 'INVALID_FORMAT', 'control'],
    ['no user beside the path', '/users/disconnect', {}, 400, 'INVALID_FORMAT', 'user_id'],
    ['an unknown field beside the path', '/users/disconnect', { user_id: 'u', x: 1 }, 400, 'INVALID_FORMAT', 'x'],
    ['no room name', '/rooms/a%20b/messages', { type: 'a' }, 400, 'INVALID_ROOM', 'room'],
    ['a room name that is too long', `/rooms/${'a'.repeat(256)}/messages`, { type: 'a' }, 400, 'INVALID_ROOM', 'room'],
    ['a user’s id that is too long', `/users/${'é'.repeat(65)}/messages`, { type: 'a' }, 400, 'INVALID_FORMAT', 'user'],
    ['a reason that is too long', '/rooms/a/close', { reason: 'x'.repeat(124) }, 400, 'INVALID_FORMAT', 'reason'],
    ['tokens where they are off', '/users/u1/tokens', {}, 403, 'FORBIDDEN', 'HUBBUB_API_TOKENS'],
  ])('%s', async (_, path, body, status, code, message) => {
    expect(await api.post(path, body)).toMatchObject({
      status,
      body: { code, message: expect.stringContaining(message) },
    });
  });

  test.each([
    ['broken JSON', '{"type":'],
    ['bytes that are not UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
    ['half a character', '{"type":"a","payload":{"x":"\\ud800"}}'],
    ['two values', '{"type":"a"} {}'],
  ])('%s is not JSON in UTF-8', async (_, raw) => {
    expect(await api.ask('POST', '/messages', { raw })).toMatchObject({
      status: 400,
      body: { code: 'INVALID_FORMAT' },
    });
  });

  test('the key __proto__ is refused, however deep', async () => {
    for (const raw of [
      '{"all":true,"type":"a","payload":{"__proto__":{}}}',
      '{"all":true,"type":"a","payload":{"x":[{"__proto__":1}]}}',
    ]) {
      expect(await api.ask('POST', '/messages', { raw })).toMatchObject({
        status: 400,
        body: { code: 'INVALID_PAYLOAD' },
      });
    }
  });

  test.each(['limit=0', 'limit=1001', 'limit=x', 'since=-1', 'since=1.5', 'before=', 'page=2', 'limit=1&limit=2'])(
    'the query %s',
    async query => {
      const answer = await api.get(`/rooms/general/history?${query}`);
      // An empty number is read as 0, which precedes every offset.
      if (query === 'before=') expect(answer).toMatchObject({ status: 200, body: { messages: [] } });
      else expect(answer).toMatchObject({ status: 400, body: { code: 'INVALID_FORMAT' } });
    },
  );

  test('a body of another type gets 415, an unknown path 404 with the known ones, a wrong method 405', async () => {
    const headers = { 'content-type': 'text/plain' };
    expect(await api.ask('POST', '/messages', { raw: '{}', headers })).toMatchObject({ status: 415 });
    const lost = await api.post('/room/general/messages', { type: 'a' });
    expect(lost).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    expect(lost.body.routes).toContain('POST /rooms/{room_id}/messages');
    expect((await api.get('/rooms/a%zz/history')).status).toBe(400);
    const wrongMethod = await api.ask('DELETE', '/users/u1');
    expect(wrongMethod).toMatchObject({ status: 405, body: { code: 'NOT_FOUND' } });
    expect(wrongMethod.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
    await eventually(() => api.metric('hubbub_api_requests_total', { route: 'none', status: '404' }));
  });

  test('an error names presence that is not configured', async () => {
    const answer = await api.get('/rooms/general/roster');
    expect(answer).toMatchObject({ status: 503, body: { code: 'UNAVAILABLE' } });
    expect(answer.body.message).toContain('HUBBUB_PRESENCE_URL');
  });

  test("a presence that refuses the key of the API is unavailable; the client's key is not blamed", async () => {
    const own = await startCluster({
      edges: 0,
      redis: cluster.redis,
      env: { HUBBUB_PRESENCE_API_KEYS: 'a-third-key' },
    });
    const lonely = await startApi(own);
    expect(await lonely.get('/users/u1')).toMatchObject({
      status: 503,
      body: { code: 'UNAVAILABLE', message: expect.stringContaining('HUBBUB_PRESENCE_API_KEYS') },
    });
  });
});

describe('limits', () => {
  async function counted<T>(limit: string, work: () => Promise<T>): Promise<T> {
    const before = await api.metric('hubbub_api_limited_total', { limit });
    const result = await work();
    await eventually(async () => (await api.metric('hubbub_api_limited_total', { limit })) > before, {
      describe: `${limit} is counted`,
    });
    return result;
  }

  test('a body that is too large gets 413, with or without a declared length', async () => {
    const body = { all: true, type: 'a', payload: { text: 'x'.repeat(3000) } };
    const answer = await counted('body_bytes', () => api.post('/messages', body));
    expect(answer).toMatchObject({ status: 413, body: { code: 'TOO_LARGE' } });
    const chunk = 'x'.repeat(3000);
    const chunked = await counted('body_bytes', () =>
      api.exchange(
        `POST /messages HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${API_KEY}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n${chunk.length.toString(16)}\r\n${chunk}\r\n`,
      ),
    );
    expect(chunked).toContain('HTTP/1.1 413');
    expect((await api.post('/messages', { all: true, type: 'a', payload: { text: 'x'.repeat(1900) } })).status).toBe(
      200,
    );
  });

  test('headers that are too large get 431', async () => {
    const headers = { 'x-large': 'x'.repeat(5000) };
    const answer = await counted('header_bytes', () => api.ask('GET', '/online', { headers }));
    expect(answer).toMatchObject({ status: 431, body: { code: 'TOO_LARGE' } });
  });

  test.each([
    ['headers', 'POST /messages HTTP/1.1\r\nhost: localhost\r\nx-slow:'],
    [
      'a body',
      `POST /messages HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${API_KEY}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`,
    ],
  ])('%s that never arrive get 408, and the connection ends', async (_, text) => {
    const answer = await counted('request_time', () => api.exchange(text));
    expect(answer).toMatch(/^HTTP\/1.1 408 .*"code":"UNAVAILABLE"/s);
  });

  test('requests above the concurrency limit get 429, and places are free again when requests end', async () => {
    const patient = await startApi(cluster, { env: { HUBBUB_API_MAX_REQUESTS: '2' } });
    const leave = [patient.occupy(), patient.occupy()];
    await eventually(async () => (await patient.metric('hubbub_api_requests_under_way')) === 2);
    const answer = await patient.post('/messages', { all: true, type: 'a' });
    expect(answer).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } });
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(await patient.metric('hubbub_api_limited_total', { limit: 'requests' })).toBe(1);
    for (const end of leave) end();
    await eventually(async () => (await patient.post('/messages', { all: true, type: 'a' })).status === 200);
    expect(await patient.metric('hubbub_api_requests_under_way')).toBe(0);
    expect(await patient.metric('hubbub_api_requests_total', { route: 'POST /messages', status: 'aborted' })).toBe(2);
  });

  test('a request that is not HTTP gets 400, is counted, and disturbs no other', async () => {
    expect(await api.exchange('\x16\x03\x01 no http\r\n\r\n')).toContain('HTTP/1.1 400');
    expect(await api.metric('hubbub_api_malformed_requests_total')).toBeGreaterThan(0);
    expect((await api.get('/online')).status).toBe(200);
  });
});

describe('the start fails', () => {
  test('without Redis, and with tokens but no key to sign them', async () => {
    expect(await runHubbub(['api'])).toMatchObject({ code: 78, stderr: expect.stringContaining('HUBBUB_REDIS_URL') });
    const env = {
      HUBBUB_REDIS_URL: cluster.redis.url,
      HUBBUB_API_TOKENS: 'true',
      HUBBUB_JWT_JWKS_URL: 'http://127.0.0.1:1/',
    };
    expect(await runHubbub(['api'], env)).toMatchObject({
      code: 78,
      stderr: expect.stringContaining('HUBBUB_JWT_SECRET'),
    });
  });

  test('on an occupied port, and names the setting', async () => {
    const env = {
      HUBBUB_REDIS_URL: cluster.redis.url,
      HUBBUB_API_PORT: String(api.process.port),
      HUBBUB_ADMIN_PORT: '0',
    };
    expect(await runHubbub(['api'], env)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('HUBBUB_API_PORT'),
    });
  });
});
