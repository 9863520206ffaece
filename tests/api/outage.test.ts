/** Redis down, frozen and back, and a process that is stopped: nothing hangs, nothing is doubled, nothing is cut off. */
import { connect as connectTcp } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { startCluster } from '../support/cluster.js';
import { connect } from '../support/raw-client.js';
import { startRedis } from '../support/redis.js';
import { API_KEY, type ApiProcess, startApi } from './api-process.js';

const NAMESPACES = { default: { public: true }, chat: { public: true, historySize: 1000, historyTtlMs: 600_000 } };
const TIMEOUT_MS = 400;

async function startWithOwnRedis() {
  const redis = await startRedis({ own: true });
  const cluster = await startCluster({ edges: 1, presence: 0, redis, env: withNamespaces(NAMESPACES) });
  const env = {
    HUBBUB_REDIS_COMMAND_TIMEOUT_MS: String(TIMEOUT_MS),
    HUBBUB_PROBE_INTERVAL_MS: '100',
    HUBBUB_PROBE_TIMEOUT_MS: '1000',
  };
  return { redis, cluster, api: await startApi(cluster, { env }) };
}

async function readiness(api: ApiProcess): Promise<number> {
  return (await fetch(`${api.process.adminUrl}/readyz`)).status;
}

describe('while Redis is down', () => {
  test('every route that needs it answers 503 with Retry-After in bounded time, and works when it is up again', async () => {
    const { redis, api } = await startWithOwnRedis();
    await redis.halt({ keepData: true });
    await eventually(async () => (await readiness(api)) === 503, { describe: 'it is not ready' });
    const message = { type: 'a' };
    const asked = [
      () => api.post('/rooms/general/messages', message),
      () => api.post('/rooms/chat:1/messages', message),
      () => api.post('/messages', { all: true, ...message }, { 'idempotency-key': 'away' }),
      () =>
        api.post('/batch', {
          messages: [
            { all: true, ...message },
            { room_id: 'general', ...message },
          ],
        }),
      () => api.ask('POST', '/rooms/general/close'),
      () => api.get('/rooms/chat:1/history'),
      () => api.get('/online'),
    ];
    for (const ask of asked) {
      const began = performance.now();
      const { status, headers, body } = await ask();
      expect({ status, code: body.code, retry: headers.get('retry-after') }).toEqual({
        status: 503,
        code: 'UNAVAILABLE',
        retry: '1',
      });
      // Far beyond what a busy machine adds, and far below a request that waits for Redis to return.
      expect(performance.now() - began).toBeLessThan(3 * TIMEOUT_MS + 10_000);
    }
    await redis.start();
    await eventually(async () => (await readiness(api)) === 200, { describe: 'it is ready again' });
    for (const ask of asked) expect((await ask()).status).toBe(200);
    expect(await api.metric('hubbub_api_publishes_total', { target: 'room', result: 'UNAVAILABLE' })).toBeGreaterThan(
      0,
    );
  });

  test('after a failed message of a batch, later ones to the same room wait: a repetition delivers all in order, once', async () => {
    const { redis, cluster, api } = await startWithOwnRedis();
    const listener = await connect(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'listener' }) });
    await listener.join('general');
    const numbers = Array.from({ length: 1000 }, (_, n) => n);
    const messages = numbers.map(n => ({ room_id: 'general', type: 'said', payload: { n } }));
    const send = () => api.post('/batch', { messages }, { 'idempotency-key': 'in-order' });
    const first = send();
    await eventually(() => listener.frames.some(({ type }) => type === 'said'), { describe: 'it has begun' });
    await redis.pause();
    const answer = await first;
    const results = answer.body.results as Array<{ status: string }>;
    const firstFailed = results.findIndex(({ status }) => status === 'failed');
    expect(firstFailed, 'the freeze came in the middle').toBeGreaterThan(0);
    expect(results.slice(firstFailed).every(({ status }) => status === 'failed')).toBe(true);
    await redis.resume();
    await eventually(async () => (await send()).body.failed === 0, { describe: 'all are published' });
    await eventually(() => listener.frames.some(({ payload }) => payload?.n === 999));
    const heard = listener.frames.filter(({ type }) => type === 'said').map(({ payload }) => payload?.n);
    expect(heard).toEqual(numbers);
  });
});

test('messages that are repeated until accepted, while Redis freezes again and again, arrive once each', async () => {
  const { redis, cluster, api } = await startWithOwnRedis();
  const other = await startApi(cluster, {
    name: 'api-2',
    env: { HUBBUB_REDIS_COMMAND_TIMEOUT_MS: String(TIMEOUT_MS) },
  });
  const rooms = ['general', 'chat:1'];
  const listener = await connect(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'listener' }) });
  for (const room of rooms) await listener.join(room);

  let refused = 0;
  let known = 0;
  const sendUntilTaken = async (n: number): Promise<void> => {
    const message = { type: 'said', payload: { n }, idempotency_key: `message-${n}` };
    await eventually(async () => {
      // Another process each time, as with a balancer.
      const { status, body } = await (Math.random() < 0.5 ? api : other).post(
        `/rooms/${rooms[n % 2]}/messages`,
        message,
      );
      if (status === 503) refused++;
      if (body.repeated === true) known++;
      return status === 200;
    });
  };
  const count = 120;
  let isDone = false;
  const freezing = (async () => {
    while (!isDone) {
      await redis.pause();
      await eventually(() => isDone || refused >= 10, { withinMs: TIMEOUT_MS * 2 }).catch(() => {}); // It was quiet meanwhile.
      refused -= 10;
      await redis.resume();
      await eventually(() => redis.cli('PING'));
    }
  })();
  for (let begin = 0; begin < count; begin += 30) {
    await Promise.all(Array.from({ length: 30 }, (_, n) => sendUntilTaken(begin + n)));
  }
  isDone = true;
  await freezing;
  expect(known, 'a message was taken though its answer was 503').toBeGreaterThan(0);
  await eventually(() => listener.frames.filter(({ type }) => type === 'said').length >= count);
  for (const room of rooms) {
    await api.post(`/rooms/${room}/messages`, { type: 'last' });
    await listener.nextFrame({ type: 'last', room });
  }
  const heard = listener.frames.filter(({ type }) => type === 'said').map(({ payload }) => Number(payload?.n));
  expect(heard.sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, n) => n));
});

describe('a stopped process', () => {
  const body = '{"all":true,"type":"a"}';
  const head = `POST /messages HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${API_KEY}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;

  test('finishes the requests in flight, accepts no new connection, and ends with 0', async () => {
    const cluster = await startCluster({ edges: 0, presence: 0 });
    const api = await startApi(cluster);
    // An idle keep-alive connection delays nothing.
    expect((await api.get('/online')).status).toBe(200);
    const socket = connectTcp(api.process.port, '127.0.0.1');
    socket.write(head + body.slice(0, 5));
    await eventually(async () => (await api.metric('hubbub_api_requests_under_way')) === 1);
    const exit = api.process.kill('SIGTERM');
    await eventually(
      () =>
        fetch(`${api.url}/openapi.json`).then(
          () => false,
          () => true,
        ),
      { describe: 'the port is closed' },
    );
    const answer = readText(socket);
    socket.write(body.slice(5));
    expect(await answer).toMatch(/^HTTP\/1.1 200 .*connection: close/is);
    expect(await exit).toEqual({ code: 0, signal: null });
  });

  test('waits for a missing body no longer than at any other time', async () => {
    const cluster = await startCluster({ edges: 0, presence: 0 });
    const api = await startApi(cluster, { env: { HUBBUB_API_REQUEST_TIMEOUT_MS: '500' } });
    api.occupy();
    await eventually(async () => (await api.metric('hubbub_api_requests_under_way')) === 1);
    const began = performance.now();
    expect(await api.process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(performance.now() - began).toBeLessThan(5000);
  });
});
