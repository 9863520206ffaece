/** Server-sent events: a reader is a session, and its events are the frames of its rooms (PROTOCOL.md section 10). */
import { execFile } from 'node:child_process';
import { connect as connectTcp } from 'node:net';
import { connectHubbub } from '@hubbub/server';
import { eventually, metricValue } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { connect } from '../support/raw-client.js';
import { say, startStory } from './story.js';

test('a reader of one room gets welcome, room_opened and the messages of the room, with ids', async () => {
  const { cluster, speaker, reader } = await startStory();
  const ada = await speaker('ada');
  await ada.join('kept:a');
  await say(ada, 'kept:a', 1);
  const events = await reader('/rooms/kept:a/events');
  expect(events.status).toBe(200);
  expect(events.headers).toMatchObject({
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  await events.nextFrame({ type: 'welcome', payload: { user: { id: 'reader' }, rooms: ['kept:a'] } });
  const opened = await events.nextFrame({ type: 'room_opened', room: 'kept:a', payload: { offset: 1 } });
  const epoch = opened.payload?.epoch;
  await say(ada, 'kept:a', 2);
  await events.nextFrame({ type: 'new_message', room: 'kept:a', epoch: String(epoch), offset: 2, payload: { n: 2 } });
  await cluster.redis
    .connection()
    .publish(`${cluster.redis.prefix}:room:{kept:a}`, '{"type":"build.finished","payload":{"ok":true}}');
  await events.nextFrame({ type: 'build.finished', room: 'kept:a' });

  expect(events.events.map(({ id, event }) => [id, event])).toEqual([
    [undefined, 'welcome'],
    [`${epoch}:1`, 'room_opened'],
    [`${epoch}:2`, undefined],
    [undefined, undefined],
  ]);
  expect(events.retries).toHaveLength(1);
  expect(await metricValue(cluster.edge(0), 'hubbub_edge_event_streams')).toBe(1);
  expect(await metricValue(cluster.edge(0), 'hubbub_edge_sessions')).toBe(2);
  await events.close();
  await eventually(async () => (await metricValue(cluster.edge(0), 'hubbub_edge_sessions')) === 1);
  expect(await metricValue(cluster.edge(0), 'hubbub_edge_event_streams')).toBe(0);
});

test('the welcome lists only what a stream has, and a room whether it echoes', async () => {
  const { reader } = await startStory();
  const events = await reader('/events?room=kept:a&room=loud:a');
  const { payload } = await events.nextFrame('welcome');
  expect(payload).not.toHaveProperty('subprotocol');
  expect(payload).toMatchObject({ features: ['room_tokens', 'expires_in_ms'], ping_interval_ms: expect.any(Number) });
  expect((await events.nextFrame({ type: 'room_opened', room: 'loud:a' })).payload).toMatchObject({ echo: true });
  expect((await events.nextFrame({ type: 'room_opened', room: 'kept:a' })).payload).not.toHaveProperty('echo');
});

test('presence comes by choice, and rosters show the reader', async () => {
  const { speaker, reader } = await startStory();
  const ada = await speaker('ada');
  await ada.join('general');
  const plain = await reader('/rooms/general/events', { user: 'plain' });
  await ada.nextFrame({ type: 'user_joined', sender: { id: 'plain' } });
  const curious = await reader('/rooms/general/events?presence=true', { user: 'curious' });
  await curious.nextFrame({ type: 'room_info', payload: { count: 3 } });
  const bob = await speaker('bob');
  await bob.join('general');
  bob.send({ type: 'typing', room: 'general' });
  await curious.nextFrame({ type: 'user_joined', sender: { id: 'bob' } });
  await curious.nextFrame({ type: 'user_typing', sender: { id: 'bob' } });
  await say(bob, 'general', 1);
  for (const reading of [plain, curious]) await reading.nextFrame({ type: 'new_message', payload: { n: 1 } });
  expect(plain.events.map(({ data }) => data.type)).toEqual(['welcome', 'room_opened', 'new_message']);
  await curious.close();
  await ada.nextFrame({ type: 'user_left', sender: { id: 'curious' } });
});

test('members of every encoding, and readers, see one order', async () => {
  const { cluster, speaker, reader } = await startStory({ edges: 2 });
  const [here, there] = [cluster.edge(0), cluster.edge(1)];
  const ada = await connect(there.wsUrl, { token: cluster.token({ user: 'ada' }), encoding: 'msgpack' });
  await ada.join('kept:a');
  const bob = await speaker('bob', here);
  await bob.join('kept:a');
  const readers = await Promise.all(
    [here, there].map(edge => reader('/rooms/kept:a/events', { edge, user: `reader of ${edge.nodeId}` })),
  );
  for (const reading of readers) await reading.nextFrame('room_opened');
  for (let n = 1; n <= 20; n++)
    (n % 2 === 0 ? ada : bob).send({ type: 'send_message', room: 'kept:a', payload: { n } });
  const orders = [];
  for (const reading of readers) {
    await reading.nextFrame({ type: 'new_message', offset: 20 });
    orders.push(reading.events.filter(({ data }) => data.type === 'new_message').map(({ data }) => data.payload?.n));
  }
  expect(orders[0]).toHaveLength(20);
  expect(orders[1]).toEqual(orders[0]);
});

test.each(['session', 'user'] as const)('a message of a service leaves out a %s, and no other reader', async kind => {
  const { cluster, reader } = await startStory();
  const [ada, bob, carl] = [
    await reader('/rooms/general/events', { user: 'ada' }),
    await reader('/rooms/general/events', { user: 'bob' }),
    await reader('/rooms/general/events', { user: 'carl' }),
  ];
  for (const one of [ada, bob, carl]) await one.nextFrame('room_opened');
  const { payload } = await ada.nextFrame('welcome');
  const hubbub = connectHubbub({ redisUrl: cluster.redis.url, redisPrefix: cluster.redis.prefix });
  cleanup(() => hubbub.close());
  const leftOut = kind === 'session' ? { excludeSession: String(payload?.session_id) } : { excludeUser: 'ada' };
  await hubbub.publishToRoom('general', { type: 'for.others', payload: {}, ...leftOut });
  await hubbub.publishToRoom('general', { type: 'for.all', payload: {} });
  for (const one of [bob, carl]) await one.nextFrame('for.others');
  for (const one of [ada, bob, carl]) await one.nextFrame('for.all');
  expect(ada.events.map(({ data }) => data.type)).toEqual(['welcome', 'room_opened', 'for.all']);
});

test('a service adds the session to a room and removes it; that room does not move the id', async () => {
  const { cluster, speaker, reader } = await startStory();
  const ada = await speaker('ada');
  for (const room of ['kept:a', 'kept:b']) await ada.join(room);
  const events = await reader('/rooms/kept:a/events');
  const welcome = await events.nextFrame('welcome');
  await events.nextFrame('room_opened');
  const control = (type: string, payload: object) =>
    cluster.redis
      .connection()
      .publish(
        `${cluster.redis.prefix}:node:{edge-1}`,
        JSON.stringify({ type, payload, sessions: [welcome.payload?.session_id] }),
      );
  await control('hubbub.add_sessions', { room: 'kept:b' });
  await events.nextFrame({ type: 'room_opened', room: 'kept:b' });
  const before = events.lastEventId;
  await say(ada, 'kept:b', 1);
  await events.nextFrame({ type: 'new_message', room: 'kept:b' });
  expect(events.lastEventId).toBe(before);
  await say(ada, 'kept:a', 2);
  await events.nextFrame({ type: 'new_message', room: 'kept:a' });
  expect(events.lastEventId).toBe(before.replace(/:0$/, ':1'));
  await control('hubbub.remove_sessions', { room: 'kept:b', reason: 'done' });
  await events.nextFrame({ type: 'room_closed', room: 'kept:b', payload: { reason: 'done' } });
});

test('a silent stream has heartbeats', async () => {
  const { reader } = await startStory({ env: { HUBBUB_PING_INTERVAL_MS: '1000' } });
  const events = await reader('/rooms/general/events');
  await events.nextFrame('room_opened');
  await eventually(() => events.comments >= 2, { withinMs: 10_000 });
  expect(events.events).toHaveLength(2);
});

test('curl reads a stream with the token in the query', async () => {
  const { cluster, speaker, reader } = await startStory();
  const ada = await speaker('ada');
  await ada.join('kept:a');
  const url = `${cluster.edge(0).httpUrl}/rooms/kept:a/events?token=${cluster.token({ user: 'curl' })}`;
  const output = new Promise<string>(resolve => {
    execFile('curl', ['-sN', '--max-time', '4', url], (_error, stdout) => resolve(stdout));
  });
  await ada.nextFrame({ type: 'user_joined', sender: { id: 'curl' } });
  await say(ada, 'kept:a', 7);
  const witness = await reader('/rooms/kept:a/events');
  await witness.nextFrame('room_opened');
  const text = await output;
  expect(text).toMatch(/^retry: \d+\n\nevent: welcome\ndata: \{/);
  expect(text).toMatch(/\nid: [^\n:]+:1\ndata: \{"room":"kept:a",[^\n]*"payload":\{"n":7\}[^\n]*\}\n\n/);
});

test('a stream ends as HTTP wants it, and its connection takes no further request', async () => {
  const { cluster } = await startStory();
  const edge = cluster.edge(0);
  const path = `/rooms/general/events?token=${cluster.token({ user: 'raw' })}`;
  const fetched = await fetch(`${edge.httpUrl}${path}`);
  const socket = connectTcp(edge.process.port, '127.0.0.1');
  let text = '';
  socket.on('error', () => {}); // `close` follows.
  socket.setEncoding('utf8').on('data', chunk => {
    text += chunk;
  });
  const request = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
  socket.write(request);
  await eventually(() => text.includes('room_opened'));
  await cluster.redis
    .connection()
    .publish(`${cluster.redis.prefix}:user:{raw}`, '{"type":"hubbub.disconnect_user","payload":{}}');
  await eventually(() => text.includes('event: close'));
  socket.write(request);
  expect(await fetched.text()).toContain('event: close');
  await new Promise(resolve => socket.once('close', resolve));
  expect(text).toMatch(/\r\nconnection: close\r\n/i);
  expect(text).toMatch(/\n\n\r\n0\r\n\r\n$/);
});

test('a token that expires ends the stream with 4100, and a service with 4200', async () => {
  const { cluster, reader } = await startStory({ env: { HUBBUB_JWT_LEEWAY_MS: '0' } });
  const expiring = await reader('/rooms/general/events', {
    token: cluster.token({ user: 'late', ttlMs: 2000 }),
  });
  const kicked = await reader('/rooms/general/events', { user: 'kicked' });
  await kicked.nextFrame('room_opened');
  await cluster.redis
    .connection()
    .publish(`${cluster.redis.prefix}:user:{kicked}`, '{"type":"hubbub.disconnect_user","payload":{"reason":"bye"}}');
  expect(await kicked.nextFrame('close')).toMatchObject({ code: 4200, reason: 'bye' });
  expect(await expiring.nextFrame('close')).toMatchObject({ code: 4100 });
  await Promise.all([kicked.ended, expiring.ended]);
  expect(kicked.retries.at(-1)).toBe(3_600_000);
  expect(expiring.retries.at(-1)).toBeLessThanOrEqual(4000);
  expect(await metricValue(cluster.edge(0), 'hubbub_edge_closes_total{code="4200"}')).toBe(1);
  expect(await metricValue(cluster.edge(0), 'hubbub_edge_event_streams')).toBe(0);
});
