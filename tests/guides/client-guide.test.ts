/** docs/client-guide.md: every program of it, on two edges with Redis and presence. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connectHubbub } from '@hubbub/server';
import { eventually, freePort, TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { beforeAll, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { withNamespaces } from '../presence/config-file.js';
import { cleanup } from '../support/cleanup.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { connect, type RawClient } from '../support/raw-client.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { startUpgradeProxy } from '../support/upgrade-proxy.js';
import { type Programs, programsOf } from './programs.js';

let guide: Programs;
let cluster: TestCluster;

beforeAll(async () => {
  guide = await programsOf('docs/client-guide.md');
  const env = withNamespaces({
    chat: { public: true, historySize: 100, historyTtlMs: 60_000 },
    short: { public: true, historySize: 3, historyTtlMs: 60_000 },
    game: { public: true, events: ['move'] },
    vip: { requireRoomToken: true },
    secret: {},
  });
  cluster = await startCluster({ edges: 2, env });
});

async function member(user: string, room: string): Promise<RawClient> {
  const client = await connect(cluster.edge(1).wsUrl, { name: user, token: cluster.token({ user, name: user }) });
  await client.join(room);
  return client;
}

const say = (client: RawClient, room: string, content: string) =>
  client.ask({ type: 'send_message', room, payload: { content } });

/** An address that answers GET with the next text, or with a status when it is a number. Counts who asked. */
async function startAnswers(answer: (asked: number) => string | number): Promise<{ url: string; asked: () => number }> {
  let asked = 0;
  const server = createServer((_, response) => {
    const given = answer(++asked);
    if (typeof given === 'number') response.writeHead(given).end();
    else response.end(given);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  cleanup(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked: () => asked };
}

test('loop.mjs: gets the frames of its room until it breaks, then ends', async () => {
  const bob = await member('bob', 'general');
  const loop = await guide.run('loop.mjs', [cluster.token({ user: 'loop' }), cluster.edge(0).wsUrl]);
  await bob.nextFrame({ type: 'new_message', payload: { content: 'ready' } });
  for (const content of ['first', 'stop']) await say(bob, 'general', content);
  await loop.says('first');
  await loop.says('stop');
  expect(await loop.exited).toBe(0);
});

test('schemas.mjs: neither sends nor gets an invalid payload', async () => {
  const bob = await member('bob', 'general');
  const example = await guide.run('schemas.mjs', [cluster.token({ user: 'typed' }), cluster.edge(0).wsUrl]);
  await example.says('not sent: INVALID_PAYLOAD');
  await bob.ask({ type: 'send_message', room: 'general', payload: { content: 7 } });
  await example.says(/^ignored: payload\.content of new_message: /);
  await say(bob, 'general', 'valid');
  await example.says('valid');
});

test('connect.mjs: joins, speaks, hears the others', async () => {
  const bob = await member('bob', 'general');
  const one = await guide.run('connect.mjs', [cluster.token({ user: 'one', name: 'One' }), cluster.edge(0).wsUrl]);
  await one.says('the cluster has it');
  await bob.nextFrame({ type: 'new_message', sender: { id: 'one', name: 'One' }, payload: { content: 'Hello' } });
  await say(bob, 'general', 'Hello to you');
  await one.says('bob: Hello to you');
});

test('tokens.mjs: a short token is renewed within the session; signing out closes it', async () => {
  // The leeway for clocks, 5 s, is part of a session's life.
  const fresh = () => cluster.token({ user: 'short-lived', ttlMs: 2_000 });
  const tokens = await startAnswers(asked => (asked < 3 ? fresh() : 401));
  const one = await guide.run('tokens.mjs', [tokens.url, cluster.edge(0).wsUrl]);
  await one.says('closed UNAUTHORIZED');
  expect(tokens.asked()).toBeGreaterThanOrEqual(3);
  // The second token went into the session: it did not reconnect with it.
  expect(one.lines.filter(line => line === 'open ')).toHaveLength(1);
});

test('history.mjs: earlier, live, missed and lost messages', async () => {
  const network = await startTcpProxy({ to: cluster.edge(0).process.port });
  const url = `ws://127.0.0.1:${network.port}/ws`;
  const bob = await member('bob', 'chat:42');
  await bob.join('short:1');
  for (const content of ['a', 'b', 'c']) await say(bob, 'chat:42', content);
  const one = await guide.run('history.mjs', [cluster.token({ user: 'one' }), url, 'chat:42']);
  const two = await guide.run('history.mjs', [cluster.token({ user: 'two' }), url, 'short:1']);
  await Promise.all([one.says('that was all'), two.says('that was all')]);
  expect(one.lines).toEqual(['2: b', '3: c', '1: a', 'that was all']);
  network.sever();
  for (const content of ['d', 'e']) await say(bob, 'chat:42', content);
  for (const content of ['a', 'b', 'c', 'd', 'e']) await say(bob, 'short:1', content);
  network.restore();
  await one.says('whole again, 2 recovered');
  expect(one.lines.slice(4, 6)).toEqual(['4: d', '5: e']);
  await two.says('gap: too_old');
  await two.says('5: e');
  expect(two.lines).toContain('4: d');
  expect(two.lines).not.toContain('2: b');
});

test('presence.mjs: who is here, who types, who is in a call', async () => {
  const bob = await member('bob', 'general');
  const url = cluster.edge(0).wsUrl;
  const one = await guide.run('presence.mjs', [cluster.token({ user: 'one', name: 'One' }), url]);
  await one.says('2 here: One, bob');
  await bob.nextFrame({ type: 'user_typing', sender: { id: 'one' } });
  await bob.nextFrame({ type: 'user_stopped_typing', sender: { id: 'one' } });
  await bob.nextFrame({ type: 'user_status', payload: { user: { id: 'one', status: 'in a call' } } });
  bob.send({ type: 'typing', room: 'general' });
  await one.says('bob is typing');
  bob.send({ type: 'set_status', payload: { status: 'away' } });
  await one.says('bob is away');
  bob.send({ type: 'set_status', payload: {} });
  await one.says('bob is back');
});

test('room-token.mjs and back-end.mjs: refused without a token, joined with one', async () => {
  const port = await freePort();
  const backEnd = `http://127.0.0.1:${port}`;
  await guide.run('back-end.mjs', [], { env: { HUBBUB_JWT_SECRET: TEST_JWT_SECRET, PORT: String(port) } });
  const session = await eventually(
    () =>
      fetch(`${backEnd}/token`).then(
        answer => answer.text(),
        () => undefined,
      ),
    {
      describe: 'the back end answers',
    },
  );
  const one = await guide.run('room-token.mjs', [session, cluster.edge(0).wsUrl, `${backEnd}/room-token`]);
  await one.says('joined ');
  expect(one.lines).toContain('without one: FORBIDDEN');
});

test('events.mjs: the service has the event once, and its answer is heard', async () => {
  const { url, prefix } = cluster.redis;
  const hubbub = connectHubbub({ redisUrl: url, redisPrefix: prefix });
  cleanup(() => hubbub.close());
  const handled: unknown[] = [];
  hubbub.onEvents('game', { group: 'guide' }, async event => {
    handled.push(event.payload);
    await hubbub.publishToRoom('game:1', { type: 'moved', sender: event.user, payload: event.payload });
  });
  const one = await guide.run('events.mjs', [cluster.token({ user: 'one', name: 'One' }), cluster.edge(0).wsUrl]);
  await one.says('the services have it');
  await one.says('One moved to e4');
  expect(handled).toEqual([{ to: 'e4' }]);
});

test('binary.mjs: bytes are bytes to a MessagePack member, and reach a JSON member in the documented form', async () => {
  const bob = await member('bob', 'general');
  const token = cluster.token({ user: 'carol' });
  const carol = await connect(cluster.edge(1).wsUrl, { name: 'carol', token, encoding: 'msgpack' });
  await carol.join('general');
  const one = await guide.run('binary.mjs', [cluster.token({ user: 'one' }), cluster.edge(0).wsUrl]);
  await one.says('sent 3 bytes');
  await bob.nextFrame({ type: 'new_message', payload: { name: 'dot.png', bytes: { $base64: 'AQID' } } });
  const { payload } = await carol.nextFrame({ type: 'new_message', sender: { id: 'one' } });
  expect([...(payload?.bytes instanceof Uint8Array ? payload.bytes : [])]).toEqual([1, 2, 3]);
});

test('transport.mjs: continues over events where WebSockets are blocked, and over a WebSocket otherwise', async () => {
  const bob = await member('bob', 'chat:42');
  const token = cluster.token({ user: 'blocked' });
  const proxy = await startUpgradeProxy({ to: Number(new URL(cluster.edge(0).httpUrl).port) });
  const blocked = await guide.run('transport.mjs', [token, `ws://127.0.0.1:${proxy.port}/ws`]);
  await blocked.says('open over events');
  await blocked.says('the cluster has it');
  await blocked.says('no history: UPGRADE_REQUIRED');
  await bob.nextFrame({ type: 'new_message', payload: { content: 'Hello' } });
  await say(bob, 'chat:42', 'Hello to you');
  await blocked.says('Hello to you');
  const free = await guide.run('transport.mjs', [token, cluster.edge(0).wsUrl]);
  await free.says('open over websocket');
  await free.says('the cluster has it');
});

test('states.mjs: words for coming, being there, being cut off and being signed out', async () => {
  const network = await startTcpProxy({ to: cluster.edge(0).process.port });
  const withOtherKey = await cluster.addEdge({ env: { HUBBUB_JWT_SECRET: 'another-secret-of-at-least-32-bytes' } });
  const token = cluster.token({ user: 'one' });
  const one = await guide.run('states.mjs', [token, `ws://127.0.0.1:${network.port}/ws`]);
  await one.says('Connected');
  network.retarget(withOtherKey.process.port);
  network.cut();
  await one.says('Offline');
  await one.says('Please sign in again');
  expect(one.lines[0]).toBe('Connecting …');
});

test('errors.mjs: each code with whether to try again', async () => {
  const one = await guide.run('errors.mjs', [cluster.token({ user: 'one' }), cluster.edge(0).wsUrl]);
  expect(await one.exited).toBe(0);
  expect(one.lines.slice(0, 3)).toEqual(['FORBIDDEN not again', 'TOO_LARGE not again', 'RATE_LIMITED again later']);
});

test('plain.mjs: resumes after a cut, follows a leaving edge, gets a gap', async () => {
  const leaving = await cluster.addEdge({ env: { HUBBUB_DRAIN_WINDOW_MS: '500' } });
  const network = await startTcpProxy({ to: leaving.process.port });
  const bob = await member('bob', 'chat:plain');
  const url = `ws://127.0.0.1:${network.port}/ws`;
  const one = await guide.run('plain.mjs', [cluster.token({ user: 'one' }), url, 'chat:plain']);
  await one.says('joined');
  await say(bob, 'chat:plain', 'a');
  await one.says('1: a');
  network.sever();
  await say(bob, 'chat:plain', 'b');
  network.restore();
  await one.says('2: b');
  network.retarget(cluster.edge(0).process.port);
  await leaving.process.kill('SIGTERM');
  await say(bob, 'chat:plain', 'c');
  await one.says('3: c');
  expect(one.lines.filter(line => line !== 'joined')).toEqual(['1: a', '2: b', '3: c']);

  const elsewhere = await guide.run('plain.mjs', [cluster.token({ user: 'two' }), url, 'general']);
  await elsewhere.says('joined');
  network.cut();
  await elsewhere.says('gap: no_history');
});

test('plain.mjs: waits longer and longer for an edge that welcomes it and closes', async () => {
  const edge = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  cleanup(() => edge.close());
  await once(edge, 'listening');
  const connectedMs: number[] = [];
  edge.on('connection', socket => {
    connectedMs.push(performance.now());
    socket.send(JSON.stringify({ type: 'welcome', payload: {} }));
    socket.close(1012);
  });
  const { port } = edge.address() as AddressInfo;
  // The delays are then 500 ms, 1 s, 2 s.
  await guide.run('plain.mjs', ['a.b.c', `ws://127.0.0.1:${port}/ws`], { setup: 'Math.random = () => 0.5' });
  await eventually(() => connectedMs.length > 3, { withinMs: 20_000 });
  const [, , third = 0, fourth = 0] = connectedMs;
  expect(fourth - third).toBeGreaterThan(1_900);
});
