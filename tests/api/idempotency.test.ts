/** A repeated request has no further effect, whichever process receives it and whatever failed before. */

import { eventually } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { connect, type RawClient } from '../support/raw-client.js';
import { type ApiProcess, startApi } from './api-process.js';

const NAMESPACES = { default: { public: true }, chat: { public: true, historySize: 100, historyTtlMs: 600_000 } };

let cluster: TestCluster;
let one: ApiProcess;
let two: ApiProcess;

beforeAll(async () => {
  cluster = await startCluster({ edges: 1, presence: 0, env: withNamespaces(NAMESPACES) });
  [one, two] = await Promise.all([startApi(cluster, { name: 'api-1' }), startApi(cluster, { name: 'api-2' })]);
});

async function member(user: string, room: string): Promise<RawClient> {
  const client = await connect(cluster.edge(0).wsUrl, { name: user, token: cluster.token({ user }) });
  await client.join(room);
  return client;
}

describe.each([
  ['a room with history', '/rooms/chat:once/messages', 'chat:once', {}],
  ['a room without', '/rooms/once/messages', 'once', {}],
  ['a user', '/users/listener/messages', 'elsewhere', {}],
  ['all', '/messages', 'elsewhere', { all: true }],
])('a message to %s', (_, path, room, to) => {
  test('is published once, over two processes and many simultaneous tries, and all get the same answer', async () => {
    const listener = await member('listener', room);
    const headers = { 'idempotency-key': `key of ${path}`.replaceAll(' ', '-') };
    const body = { ...to, type: 'order.paid', payload: { order: 7, lines: { a: 1, b: 2 } } };
    // The same body, with its keys in another order.
    const again = { payload: { lines: { b: 2, a: 1 }, order: 7 }, type: 'order.paid', ...to };
    const tries = Array.from({ length: 20 }, (_, n) =>
      n % 2 ? one.post(path, body, headers) : two.post(path, again, headers),
    );
    const answers = await Promise.all(tries);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(answers.filter(answer => answer.body.repeated === false)).toHaveLength(1);
    expect(new Set(answers.map(({ body: { repeated: _, ...notice } }) => JSON.stringify(notice))).size).toBe(1);
    await listener.nextFrame('order.paid');
    await one.post(path, { ...to, type: 'last' });
    await listener.noFrame('order.paid', () => listener.nextFrame('last'));
  });

  test('under a key that was used for another request is refused', async () => {
    const headers = { 'idempotency-key': `other of ${path}`.replaceAll(' ', '-') };
    expect((await one.post(path, { ...to, type: 'a', payload: { n: 1 } }, headers)).status).toBe(200);
    for (const [otherPath, body] of [
      [path, { ...to, type: 'a', payload: { n: 2 } }],
      [path, { ...to, type: 'a', payload: { n: 1 }, exclude_user: 'x' }],
      ['/rooms/another/messages', { type: 'a', payload: { n: 1 } }],
      ['/rooms/another/close', {}],
    ] as const) {
      expect(await two.post(otherPath, body, headers)).toMatchObject({ status: 409, body: { code: 'CONFLICT' } });
    }
    expect((await two.post(path, { ...to, type: 'a', payload: { n: 1 } }, headers)).body.repeated).toBe(true);
  });
});

test('a key holds over a restart of the process, because Redis keeps it for five minutes', async () => {
  const brief = await startApi(cluster, { name: 'api-brief' });
  const send = (api: ApiProcess) => api.post('/messages', { all: true, type: 'a', idempotency_key: 'over-a-restart' });
  expect((await send(brief)).body.repeated).toBe(false);
  await brief.process.kill('SIGKILL');
  expect((await send(await startApi(cluster, { name: 'api-later' }))).body.repeated).toBe(true);
  const { cli, prefix } = cluster.redis;
  const keys = (await cli('KEYS', `${prefix}:{${prefix}:broadcast}:id:*over-a-restart*`)).split('\n');
  expect(keys).toHaveLength(1);
  const remainingMs = Number(await cli('PTTL', keys[0] ?? ''));
  expect(remainingMs).toBeGreaterThan(240_000);
  expect(remainingMs).toBeLessThanOrEqual(300_000);
});

test('a key is the same bare or in quotes, in the header or in the body', async () => {
  const body = { type: 'a' };
  const repeated = async (inBody: object, headers: Record<string, string>) =>
    (await one.post('/messages', { all: true, ...body, ...inBody }, headers)).body.repeated;
  expect(await repeated({}, { 'idempotency-key': 'four-ways' })).toBe(false);
  expect(await repeated({}, { 'idempotency-key': '"four-ways"' })).toBe(true);
  expect(await repeated({ idempotency_key: 'four-ways' }, {})).toBe(true);
  expect(await repeated({ idempotency_key: 'four-ways' }, { 'idempotency-key': 'four-ways' })).toBe(true);
  const differing = await one.post(
    '/messages',
    { all: true, ...body, idempotency_key: 'x' },
    { 'idempotency-key': 'y' },
  );
  expect(differing).toMatchObject({ status: 400, body: { code: 'INVALID_FORMAT' } });
  for (const key of ['', '""', 'a b', 'x'.repeat(129)]) {
    expect((await one.post('/messages', { all: true, ...body }, { 'idempotency-key': key })).status, key).toBe(400);
  }
});

test('a request that was refused as malformed uses up no key', async () => {
  const headers = { 'idempotency-key': 'after-a-mistake' };
  expect((await one.post('/messages', { all: true, type: 'a', payload: 'text' }, headers)).status).toBe(400);
  expect((await one.post('/messages', { all: true, type: 'a', payload: {} }, headers)).status).toBe(200);
});

test('a repeated batch publishes the missing messages, and none twice', async () => {
  const listener = await member('batched', 'batched');
  const headers = { 'idempotency-key': 'a-batch' };
  const message = (n: number) => ({ room_id: n % 2 ? 'batched' : 'chat:batched', type: 'said', payload: { n } });
  const first = await one.post('/batch', { messages: [1, 2, 3].map(message) }, headers);
  expect(first.body).toMatchObject({ published: 3, failed: 0 });
  const second = await two.post('/batch', { messages: [1, 2, 3, 4, 5].map(message) }, headers);
  const results = second.body.results as Array<Record<string, unknown>>;
  expect(results.map(({ repeated }) => repeated)).toEqual([true, true, true, false, false]);
  expect(results[1]).toMatchObject({ offset: 1 });
  const third = await two.post('/batch', { messages: [1, 9].map(message) }, headers);
  expect(third.body).toMatchObject({ published: 1, failed: 1, results: [{}, { code: 'CONFLICT' }] });
  for (const n of [1, 3, 5]) await listener.nextFrame({ type: 'said', payload: { n } });
  await one.post('/rooms/batched/messages', { type: 'last' });
  await listener.noFrame('said', () => listener.nextFrame('last'));
  // A message's own key takes precedence over that of the batch.
  const own = { messages: [{ all: true, type: 'a', idempotency_key: 'own' }] };
  expect((await one.post('/batch', own, { 'idempotency-key': 'b1' })).body.results).toMatchObject([
    { repeated: false },
  ]);
  expect((await two.post('/batch', own, { 'idempotency-key': 'b2' })).body.results).toMatchObject([{ repeated: true }]);
  expect((await two.post('/messages', { all: true, type: 'a', idempotency_key: 'own' })).body.repeated).toBe(true);
});

test('a repeated control does not remove a user that joined after it', async () => {
  const headers = { 'idempotency-key': 'closing' };
  const early = await member('early', 'closing');
  expect((await one.ask('POST', '/rooms/closing/close', { headers })).body.repeated).toBe(false);
  await early.nextFrame('room_closed');
  const late = await member('late', 'closing');
  expect((await two.ask('POST', '/rooms/closing/close', { headers })).body.repeated).toBe(true);
  await one.post('/rooms/closing/messages', { type: 'last' });
  await late.noFrame('room_closed', () => late.nextFrame('last'));
});

test('without a key each request is a message of its own', async () => {
  const listener = await member('twice', 'twice');
  for (const api of [one, two])
    expect((await api.post('/rooms/twice/messages', { type: 'said' })).body.repeated).toBe(false);
  await eventually(() => listener.frames.filter(({ type }) => type === 'said').length === 2);
});
