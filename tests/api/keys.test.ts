/** Named API keys: each is limited to operations, namespaces and a rate, and every change is in the audit log. */
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { type ApiProcess, startApi } from './api-process.js';

const CHAT_WRITER = 'a-key-that-publishes-to-the-rooms-of-chat';
const READER = 'a-key-that-reads-everything-in-the-hub';
const SLOW = 'a-key-with-three-requests-per-second';
const MODERATOR = 'a-key-that-controls-chat-and-mints-for-it';
const HASHED = 'a-key-that-the-file-holds-as-a-hash';

let cluster: TestCluster;
let api: ApiProcess;

beforeAll(async () => {
  const keys = [
    { name: 'chat-writer', key: CHAT_WRITER, namespaces: ['chat'], operations: ['publish'] },
    { name: 'reader', key: READER, operations: ['read'] },
    { name: 'slow', key: SLOW, operations: ['read'], maxRequestsPerSecond: 3 },
    { name: 'moderator', key: MODERATOR, namespaces: ['chat'], operations: ['control', 'read', 'tokens'] },
    { name: 'hashed', sha256: createHash('sha256').update(HASHED).digest('hex'), operations: ['publish'] },
  ];
  cluster = await startCluster({ edges: 0, presence: 0 });
  api = await startApi(cluster, { keys, env: { HUBBUB_API_TOKENS: 'true' } });
});

const message = { type: 'build.finished' };
const inRoom = (room: string) => ({ room_id: room, ...message });

describe('a key with one operation', () => {
  test.each<[string, string, 'GET' | 'POST', string, unknown, string]>([
    ['a reader publishes', READER, 'POST', '/rooms/chat:1/messages', message, 'publish'],
    ['a reader sends a batch', READER, 'POST', '/batch', { messages: [inRoom('chat:1')] }, 'publish'],
    ['a reader closes a room', READER, 'POST', '/rooms/chat:1/close', {}, 'control'],
    ['a reader disconnects a user', READER, 'POST', '/users/u1/disconnect', {}, 'control'],
    ['a reader mints a token', READER, 'POST', '/users/u1/tokens', {}, 'tokens'],
    ['a writer reads a history', CHAT_WRITER, 'GET', '/rooms/chat:1/history', undefined, 'read'],
    ['a writer reads a roster', CHAT_WRITER, 'GET', '/rooms/chat:1/roster', undefined, 'read'],
    ['a writer removes a user', CHAT_WRITER, 'POST', '/rooms/chat:1/users/u1/remove', {}, 'control'],
    ['a moderator publishes', MODERATOR, 'POST', '/messages', inRoom('chat:1'), 'publish'],
  ])('%s: 403 names the missing operation', async (_, key, method, path, body, operation) => {
    const answer = await api.ask(method, path, { key, body });
    expect(answer).toMatchObject({
      status: 403,
      body: { code: 'FORBIDDEN', details: { missing_operation: operation } },
    });
  });

  test('the operations that it has work', async () => {
    expect((await api.ask('POST', '/rooms/chat:1/messages', { key: CHAT_WRITER, body: message })).status).toBe(200);
    expect((await api.ask('POST', '/rooms/any:1/messages', { key: HASHED, body: message })).status).toBe(200);
    expect((await api.ask('GET', '/rooms/any:1/history', { key: READER })).status).toBe(200);
    expect((await api.ask('GET', '/online', { key: MODERATOR })).status).toBe(200);
    expect((await api.ask('POST', '/rooms/chat:1/close', { key: MODERATOR, body: {} })).status).toBe(200);
  });
});

describe('a key with one namespace', () => {
  test.each<[string, string, 'GET' | 'POST', string, unknown, string]>([
    ['publishes to another one', CHAT_WRITER, 'POST', '/rooms/game:1/messages', message, 'game'],
    ['publishes to the default one', CHAT_WRITER, 'POST', '/messages', inRoom('chat'), 'default'],
    ['publishes to a user', CHAT_WRITER, 'POST', '/users/u1/messages', message, '*'],
    ['publishes to all', CHAT_WRITER, 'POST', '/messages', { all: true, ...message }, '*'],
    ['closes a room of another one', MODERATOR, 'POST', '/rooms/game:1/close', {}, 'game'],
    ['disconnects a user', MODERATOR, 'POST', '/users/u1/disconnect', {}, '*'],
    ['reads another one', MODERATOR, 'GET', '/rooms/history?room_id=game:1', undefined, 'game'],
    ['reads a user', MODERATOR, 'GET', '/users/u1', undefined, '*'],
    ['lists dead letters', MODERATOR, 'GET', '/events/chat/g/dead_letters', undefined, '*'],
    ['lists lifecycle dead letters', MODERATOR, 'GET', '/lifecycle/g/dead_letters', undefined, '*'],
    ['moves sessions', MODERATOR, 'POST', '/nodes/drain', { percent: 10 }, '*'],
    ['mints a room token of another one', MODERATOR, 'POST', '/rooms/game:1/tokens', { user_id: 'u1' }, 'game'],
    ['mints a session token', MODERATOR, 'POST', '/users/u1/tokens', { rooms: ['chat:*'] }, '*'],
  ])('%s: 403 names the missing namespace', async (_, key, method, path, body, namespace) => {
    const answer = await api.ask(method, path, { key, body });
    expect(answer).toMatchObject({
      status: 403,
      body: { code: 'FORBIDDEN', details: { missing_namespace: namespace } },
    });
  });

  test('each message of a batch is checked', async () => {
    const messages = [inRoom('chat:1'), inRoom('game:1'), { user_id: 'u1', ...message }];
    const { body } = await api.ask('POST', '/batch', { key: CHAT_WRITER, body: { messages } });
    expect(body).toMatchObject({ published: 1, failed: 2 });
    expect(body.results).toMatchObject([{ status: 'published' }, { code: 'FORBIDDEN' }, { code: 'FORBIDDEN' }]);
  });
});

test('a key above its rate gets 429 with Retry-After, and other keys are not limited', async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => api.ask('GET', '/online', { key: SLOW })));
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(10);
  expect(answers.some(({ status }) => status === 200)).toBe(true);
  for (const { headers, body } of refused) {
    expect(headers.get('retry-after')).toBe('1');
    expect(body).toMatchObject({ code: 'RATE_LIMITED', message: expect.stringContaining('slow') });
  }
  expect(await api.metric('hubbub_api_limited_total', { limit: 'key_requests' })).toBe(refused.length);
  expect((await api.ask('GET', '/online', { key: READER })).status).toBe(200);
});

describe('the audit log', () => {
  const secretPayload = { ...message, payload: { secret: 'never-in-a-log' } };

  test('has one line for each change, done or refused, without payloads', async () => {
    const lines = api.process.output;
    await api.ask('POST', '/rooms/chat:audit-1/messages', { key: CHAT_WRITER, body: secretPayload });
    await lines.waitForLog({
      event: 'api_request',
      key: 'chat-writer',
      operation: 'publishToRoom',
      targets: ['room:chat:audit-1'],
      result: 'done',
    });
    await api.ask('POST', '/rooms/game:audit-2/messages', { key: CHAT_WRITER, body: secretPayload });
    await lines.waitForLog({ key: 'chat-writer', targets: ['room:game:audit-2'], result: 'FORBIDDEN' });
    await api.ask('POST', '/rooms/chat:audit-3/users/u1/remove', { key: MODERATOR, body: {} });
    await lines.waitForLog({ operation: 'removeFromRoom', targets: ['room:chat:audit-3', 'user:u1'], result: 'done' });
    await api.ask('POST', '/rooms/chat:audit-4/close', { key: READER, body: {} });
    await lines.waitForLog({ key: 'reader', operation: 'closeRoom', result: 'FORBIDDEN' });
    const messages = [{ room_id: 'chat:audit-5', ...secretPayload }, inRoom('chat:audit-6')];
    await api.ask('POST', '/batch', { key: CHAT_WRITER, body: { messages } });
    await lines.waitForLog({ messages: 2, targets: ['room:chat:audit-5', 'room:chat:audit-6'], result: 'done' });
    expect(lines.lines.join()).not.toContain('never-in-a-log');
    for (const key of [CHAT_WRITER, READER, MODERATOR]) expect(lines.lines.join()).not.toContain(key);
  });

  test('has no line for reads and for unknown keys', async () => {
    await api.ask('GET', '/rooms/chat:unlogged/history', { key: READER });
    await api.ask('POST', '/rooms/chat:unlogged/close', { key: 'wrong', body: {} });
    await api.ask('POST', '/rooms/chat:barrier/close', { key: MODERATOR, body: {} });
    await api.process.output.waitForLog({ targets: ['room:chat:barrier'] });
    expect(api.process.output.lines.join()).not.toContain('chat:unlogged');
  });
});
