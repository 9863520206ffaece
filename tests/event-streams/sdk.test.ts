/** The SDK on server-sent events, at real edges behind a proxy without WebSockets: what works, what does not, and why. */
import { type ClientOptions, HubbubClient, type HubbubError } from '@hubbub/client';
import { msgpackCodec } from '@hubbub/client/msgpack';
import { connectHubbub } from '@hubbub/server';
import { eventually, metricValue, TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { beforeEach, describe, expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { jwt } from '../support/jwt.js';
import { startUpgradeProxy, type UpgradePolicy, type UpgradeProxy } from '../support/upgrade-proxy.js';
import { type Story, say, startStory } from './story.js';

let story: Story;
let proxy: UpgradeProxy;

async function start(env: Record<string, string> = {}): Promise<void> {
  story = await startStory({ env: { HUBBUB_JWT_LEEWAY_MS: '0', ...env } });
  proxy = await startUpgradeProxy({ to: story.cluster.edge(0).process.port });
}

/** A client of the SDK; `log` has its states, gaps and messages. */
function client(user: string, { path = '/ws', ...options }: Partial<ClientOptions> & { path?: string } = {}) {
  const made = new HubbubClient({
    url: `ws://127.0.0.1:${proxy.port}${path}`,
    token: () => story.cluster.token({ user }),
    baseDelayMs: 50,
    maxDelayMs: 200,
    ...options,
  });
  cleanup(() => made.close());
  const log: string[] = [];
  made.on('gap', ({ room, reason }) => log.push(`gap ${room} ${reason}`));
  made.on('session_gap', () => log.push('session_gap'));
  made.on('new_message', ({ room, payload }) => log.push(`${room} ${payload?.n}`));
  return { made, log };
}

async function opened(user: string, options: Parameters<typeof client>[1] = {}) {
  const { made, log } = client(user, options);
  await made.connect();
  expect(made.transport).toBe('events');
  return { made, log };
}

const streams = (): number => proxy.requests.filter(line => line === 'GET /events').length;

describe('at one edge', () => {
  beforeEach(() => start());

  test.each(['refuse', 'swallow', 'plain'] as const satisfies UpgradePolicy[])(
    'a proxy that does %s upgrades: the state names the transport',
    async policy => {
      proxy.treatUpgrades(policy);
      const { made } = client('ada', { connectTimeoutMs: 2_000 });
      const transports: unknown[] = [];
      made.on('state', ({ state, transport }) => transports.push([state, transport]));
      await made.connect();
      expect(proxy.upgrades, 'two attempts, and one more once events work').toBe(3);
      expect(transports.at(-1)).toEqual(['open', 'events']);
      expect(transports).toContainEqual(['waiting', undefined]);
      made.close();
      expect(made.transport).toBeUndefined();
    },
  );

  test('without the option, only WebSockets are tried', async () => {
    const { made } = client('ada', { fallBackToEvents: false });
    void made.connect();
    await eventually(() => proxy.upgrades > 5);
    expect(made.state).not.toBe('open');
    expect(streams()).toBe(0);
  });

  test('joins of one turn cost one request, and a room that may not be joined disturbs no other', async () => {
    const { made, log } = await opened('ada');
    await Promise.all(['kept:a', 'kept:b', 'general'].map(room => made.room(room).join()));
    expect(streams()).toBe(2);
    log.length = 0;
    const error = await made
      .room('locked:a')
      .join()
      .catch((error: HubbubError) => error);
    expect(error).toMatchObject({ code: 'FORBIDDEN', details: { room: 'locked:a' } });
    expect(log).toEqual([]);
    const together = await Promise.allSettled(
      ['locked:b', 'kept:c', 'locked:c'].map(async room => await made.room(room).join()),
    );
    expect(together.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected']);
    const bob = await story.speaker('bob');
    for (const room of ['kept:a', 'kept:c', 'general']) {
      await bob.join(room);
      await say(bob, room, 1);
    }
    await eventually(() => log.filter(line => line.endsWith(' 1')).length === 3);
  });

  test('a change of rooms is reported where messages may be missing, and only there', async () => {
    const { made, log } = await opened('ada');
    await Promise.all(['kept:a', 'general'].map(room => made.room(room).join()));
    const before = made.session?.id;
    log.length = 0;
    await made.room('kept:b').join();
    await eventually(() => log.length === 2);
    expect(log.sort()).toEqual(['gap general no_history', 'session_gap']);
    expect(made.session?.id, 'the id of the session is the current one').not.toBe(before);
    expect(made.state).toBe('open');
  });

  test('left rooms are silent after the promise, and the roster loses the user after the grace', async () => {
    const bob = await story.speaker('bob');
    for (const room of ['kept:a', 'kept:b']) await bob.join(room);
    const { made, log } = await opened('ada');
    await Promise.all(['kept:a', 'kept:b'].map(room => made.room(room).join()));
    await bob.nextFrame({ type: 'user_joined', room: 'kept:a', sender: { id: 'ada' } });
    await made.removeRoom('kept:b');
    await made.removeRoom('kept:a');
    await made.room('kept:a').join();
    for (const n of [1, 2]) {
      await say(bob, 'kept:b', n);
      await say(bob, 'kept:a', n);
    }
    await eventually(() => log.at(-1) === 'kept:a 2');
    expect(log.filter(line => line.startsWith('kept'))).toEqual(['kept:a 1', 'kept:a 2']);
    await bob.nextFrame({ type: 'user_left', room: 'kept:b', sender: { id: 'ada' } }, { withinMs: 15_000 });
  });

  test('rosters and typing of others arrive, as on a WebSocket', async () => {
    const { made } = await opened('ada');
    const room = made.room('kept:a');
    const typists: unknown[] = [];
    room.on('user_typing', ({ sender }) => typists.push(sender.id));
    await room.join();
    const bob = await story.speaker('bob');
    await bob.join('kept:a');
    await eventually(() => room.roster.users.length === 2 && room.roster.count === 2);
    bob.send({ type: 'typing', room: 'kept:a' });
    await eventually(() => typists[0] === 'bob');
  });

  test('messages keep their order, and own ones arrive only where the namespace echoes', async () => {
    const { made, log } = await opened('ada');
    const [kept, loud, plain] = ['kept:a', 'loud:a', 'general'].map(name => made.room(name));
    await Promise.all([kept?.join(), loud?.join(), plain?.join()]);
    const bob = await story.speaker('bob');
    for (const room of ['kept:a', 'general']) await bob.join(room);
    log.length = 0;
    const numbers = Array.from({ length: 20 }, (_, n) => n);
    const receipts = await Promise.all(numbers.map(n => kept?.send({ n })));
    expect(receipts.map(receipt => receipt?.offset)).toEqual(numbers.map(n => n + 1));
    for (const n of numbers) await bob.nextFrame({ type: 'new_message', room: 'kept:a', payload: { n } });
    await loud?.send({ n: 7 });
    await plain?.send({ n: 8 });
    await say(bob, 'kept:a', 20);
    await say(bob, 'general', 21);
    await eventually(() => log.includes('general 21') && log.includes('loud:a 7'));
    await made.room('kept:b').join();
    await say(bob, 'kept:a', 22);
    await eventually(() => log.includes('kept:a 22'));
    expect(log.filter(line => /^(kept|loud|general)/.test(line))).toEqual(
      expect.arrayContaining(['kept:a 20', 'loud:a 7', 'general 21', 'kept:a 22']),
    );
    expect(log.filter(line => /^(kept|loud|general)/.test(line))).toHaveLength(4);
  });

  test('operations that need a WebSocket are refused with UPGRADE_REQUIRED, and typing is left out', async () => {
    const { made } = await opened('ada');
    const room = made.room('kept:a');
    await room.join();
    const codeOf = (promise: Promise<unknown>) =>
      promise.then(
        () => 'done',
        ({ code, message }) => [code, message],
      );
    for (const [type, call] of [
      ['history', room.history()],
      ['online_users', room.onlineUsers()],
      ['set_status', made.setStatus('away')],
      ['move', room.sendEvent('move', {})],
    ] as const) {
      expect(await codeOf(call)).toEqual(['UPGRADE_REQUIRED', expect.stringContaining(`${type} needs a WebSocket`)]);
    }
    room.typing();
    expect(await made.ping()).toBeGreaterThan(0);
    expect(made.state).toBe('open');
  });

  test('refusals of a message have their code', async () => {
    const { made } = await opened('ada', {
      token: story.cluster.token({ user: 'ada', rooms: { 'kept:*': ['join'] } }),
    });
    const room = made.room('kept:a');
    await room.join();
    await expect(room.send({ n: 1 })).rejects.toMatchObject({ code: 'FORBIDDEN', details: { right: 'publish' } });
  });

  test('rooms with room tokens are joined, written to, and taken over', async () => {
    const exp = Math.floor(Date.now() / 1000) + 60;
    const token = jwt({ alg: 'HS256', key: TEST_JWT_SECRET, claims: { sub: 'ada', room: 'locked:a', exp } });
    const { made, log } = await opened('ada');
    const room = made.room('locked:a');
    await room.join({ token: () => token });
    expect(await room.send({ n: 1 })).toMatchObject({ id: expect.any(String) });
    await made.room('kept:a').join();
    expect(await room.send({ n: 2 })).toMatchObject({ id: expect.any(String) });
    expect(log).toContain('gap locked:a no_history');
  });

  test('a room token that has expired is asked for again when the rooms change', async () => {
    const token = (): string =>
      jwt({
        alg: 'HS256',
        key: TEST_JWT_SECRET,
        claims: { sub: 'ada', room: 'locked:a', exp: Math.floor(Date.now() / 1000) + 2 },
      });
    const { made } = await opened('ada');
    const room = made.room('locked:a');
    const until = Date.now() + 3_000;
    await room.join({ token });
    await eventually(() => Date.now() > until);
    await made.room('kept:a').join();
    await eventually(() => room.state === 'joined' && made.room('kept:a').state === 'joined' && made.state === 'open');
  });

  test('more than 20 rooms have further streams, and frames to the user arrive once', async () => {
    const { made, log } = await opened('ada');
    const names = Array.from({ length: 45 }, (_, n) => `kept:${n}`);
    await Promise.all(names.map(name => made.room(name).join()));
    const edge = story.cluster.edge(0);
    expect(await metricValue(edge, 'hubbub_edge_event_streams')).toBe(3);
    const hubbub = connectHubbub({ redisUrl: story.cluster.redis.url, redisPrefix: story.cluster.redis.prefix });
    cleanup(() => hubbub.close());
    let notices = 0;
    made.onFrame('notice', () => notices++);
    await hubbub.publishToUser('ada', { type: 'notice', payload: {} });
    for (const [n, name] of names.entries()) {
      await hubbub.publishToRoom(name, { type: 'new_message', payload: { n }, sender: { id: 's', name: 'S' } });
    }
    await eventually(() => log.filter(line => line.startsWith('kept')).length === 45);
    expect(notices).toBe(1);
    await Promise.all(names.slice(20).map(name => made.removeRoom(name)));
    await eventually(async () => (await metricValue(edge, 'hubbub_edge_event_streams')) === 1, { withinMs: 15_000 });
    const many = Array.from({ length: 85 }, (_, n) => made.room(`kept:m${n}`).join());
    const codes = (await Promise.allSettled(many)).map(answer => answer.status === 'rejected' && answer.reason.code);
    expect(codes.filter(Boolean)).toEqual(Array(5).fill('ROOM_LIMIT'));
  });

  test('a room that a service adds is left when the stream ends that has it', async () => {
    const { made } = await opened('ada');
    const control = (type: string, payload: object) =>
      story.cluster.redis
        .connection()
        .publish(
          `${story.cluster.redis.prefix}:node:{edge-1}`,
          JSON.stringify({ type, payload, sessions: [made.session?.id] }),
        );
    await control('hubbub.add_sessions', { room: 'game:1' });
    const game = made.room('game:1');
    await eventually(() => game.state === 'joined');
    await made.room('kept:a').join();
    expect(game.state).toBe('left');
    await control('hubbub.remove_sessions', { room: 'kept:a', reason: 'done' });
    await eventually(() => made.room('kept:a').state === 'left');
    await made.room('kept:b').join();
    expect(made.room('kept:a').state, 'it is not joined again').toBe('left');
  });

  test('the room of the path is there from the start, and recovered through a break', async () => {
    const bob = await story.speaker('bob');
    await bob.join('kept:a');
    const { made, log } = client('ada', { path: '/rooms/kept:a/ws' });
    const recovered: unknown[] = [];
    made.on('recovered', event => recovered.push(event));
    await made.connect();
    expect([made.transport, made.room('kept:a').state]).toEqual(['events', 'joined']);
    await say(bob, 'kept:a', 1);
    await eventually(() => log.includes('kept:a 1'));
    const away = new Promise<void>(resolve => {
      made.on('state', ({ state }) => state === 'waiting' && resolve());
    });
    proxy.cut();
    await away;
    for (const n of [2, 3]) await say(bob, 'kept:a', n);
    await eventually(() => log.includes('kept:a 3'));
    await eventually(() => made.state === 'open' && recovered.length === 1);
    expect(recovered).toEqual([{ room: 'kept:a', replayed: 2 }]);
    expect(log.filter(line => line.startsWith('kept'))).toEqual(['kept:a 1', 'kept:a 2', 'kept:a 3']);
    await made.removeRoom('kept:a');
    await say(bob, 'kept:a', 4);
    await made.room('kept:b').join();
    await bob.join('kept:b');
    await say(bob, 'kept:b', 5);
    await eventually(() => log.includes('kept:b 5'));
    expect(log).not.toContain('kept:a 4');
  });

  test('a client of MessagePack has bytes on both ways', async () => {
    const { made } = await opened('ada', { codec: msgpackCodec });
    const room = made.room('kept:a');
    const got: unknown[] = [];
    room.on('new_message', ({ payload }) => got.push(payload));
    await room.join();
    const bob = await story.speaker('bob');
    await bob.join('kept:a');
    await room.send({ bytes: new Uint8Array([1, 2, 255]) });
    await bob.nextFrame({ type: 'new_message', payload: { bytes: { $base64: 'AQL/' } } });
    const payload = { bytes: { $base64: 'AQL/' }, odd: { $base64: '#' } };
    await bob.ask({ type: 'send_message', room: 'kept:a', payload });
    await eventually(() => got.length === 1);
    expect(got).toEqual([{ bytes: new Uint8Array([1, 2, 255]), odd: { $base64: '#' } }]);
  });

  test('a token is renewed without a break; one of another user is for the next session', async () => {
    let user = 'ada';
    let ttlMs = 10_000;
    const { made, log } = await opened('ada', { token: () => story.cluster.token({ user, ttlMs }) });
    await made.room('kept:a').join();
    const states: string[] = [];
    made.on('state', ({ state }) => states.push(state));
    const before = streams();
    await eventually(() => streams() > before, { withinMs: 30_000, describe: 'a stream with a new token' });
    const renewed = made.session?.id;
    [user, ttlMs] = ['bob', 60_000];
    expect(states).toEqual([]);
    expect(log.filter(line => line.startsWith('gap'))).toEqual([]);
    await eventually(() => made.session?.user.id === 'bob' && made.state === 'open', { withinMs: 30_000 });
    expect(states).toContain('moving');
    expect(made.session?.id).not.toBe(renewed);
  });

  test('an end with a close code is that of a WebSocket: 4200 stops, 4100 renews or stops', async () => {
    const { made } = await opened('kicked');
    const fixed = await opened('late', { token: story.cluster.token({ user: 'late', ttlMs: 15_000 }) });
    const ends = [made, fixed.made].map(
      ended =>
        new Promise(resolve => {
          ended.on('state', change => change.state === 'closed' && resolve(change));
        }),
    );
    await story.cluster.redis
      .connection()
      .publish(
        `${story.cluster.redis.prefix}:user:{kicked}`,
        '{"type":"hubbub.disconnect_user","payload":{"reason":"bye"}}',
      );
    expect(await ends[0]).toMatchObject({ closeCode: 4200, error: { code: 'FORBIDDEN' } });
    expect(await ends[1]).toMatchObject({ closeCode: 4100, error: { code: 'UNAUTHORIZED' } });
  });
});

test('a stream without a heartbeat for too long is lost', async () => {
  await start({ HUBBUB_PING_INTERVAL_MS: '1000' });
  const { made, log } = await opened('ada');
  await made.room('kept:a').join();
  const changes: unknown[] = [];
  made.on('state', ({ state, error }) => changes.push([state, error?.message]));
  proxy.freeze();
  await eventually(() => changes.length > 0, { withinMs: 20_000 });
  expect(changes[0]).toEqual(['waiting', expect.stringContaining('no heartbeat')]);
  proxy.thaw();
  await eventually(() => made.state === 'open', { withinMs: 20_000 });
  expect(log.filter(line => line.startsWith('gap'))).toEqual([]);
});
