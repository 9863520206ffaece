/** The server SDK on a real cluster: its messages arrive where they should, and its results are what happened. */
import { connectHubbub, type Hubbub, type RosterMember, type RosterPage } from '@hubbub/server';
import { eventually } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { cleanup } from '../support/cleanup.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { connect } from '../support/raw-client.js';

const API_KEY = 'the-key-of-the-story';
const NAMESPACES = {
  log: { public: true, historySize: 100, historyTtlMs: 60_000 },
  game: { public: true, events: ['move', 'vote'] },
  board: { requireRoomToken: true },
  hall: { public: true, memberEvents: true, keepMembers: { offlineAfterMs: 0, expireAfterMs: 600_000 } },
};

let cluster: TestCluster;
let hubbub: Hubbub;

beforeAll(async () => {
  const env = { ...withNamespaces(NAMESPACES), HUBBUB_PRESENCE_API_KEYS: API_KEY };
  cluster = await startCluster({ edges: 2, env });
  hubbub = service();
});

function service(): Hubbub {
  const presence = { url: cluster.presence[0]?.adminUrl ?? '', apiKey: API_KEY };
  const { url: redisUrl, prefix: redisPrefix } = cluster.redis;
  const connected = connectHubbub({ redisUrl, redisPrefix, presence });
  cleanup(() => connected.close());
  return connected;
}

async function enter(user: string, edge: number, ...rooms: string[]) {
  const client = await connect(cluster.edge(edge).wsUrl, { name: user, token: cluster.token({ user, name: user }) });
  const session = String((await client.nextFrame('welcome')).payload?.session_id);
  for (const room of rooms) await client.join(room);
  return Object.assign(client, { address: { id: session, node: cluster.edge(edge).nodeId } });
}

describe('publishing', () => {
  test('into a history returns the offset; a repeated key returns the first offset, and publishes nothing', async () => {
    const alice = await enter('alice', 0, 'log:1');
    const first = await hubbub.publishToRoom('log:1', { type: 'noted', id: 'n1', idempotencyKey: 'k1' });
    expect(first).toMatchObject({ offset: 1, repeated: false });
    const sender = { id: 'bot', name: 'Bot' };
    const second = await hubbub.publishToRoom('log:1', { type: 'noted', id: 'n2', sender, payload: { n: 2 } });
    expect(second).toMatchObject({ offset: 2, epoch: first.epoch });
    const again = await hubbub.publishToRoom('log:1', { type: 'noted', id: 'n1', idempotencyKey: 'k1' });
    expect(again).toEqual({ ...first, repeated: true });
    await hubbub.publishToRoom('log:1', { type: 'barrier' });
    await alice.nextFrame('barrier');
    const noted = alice.frames.filter(({ type }) => type === 'noted');
    expect(noted).toMatchObject([
      { id: 'n1', offset: 1, room: 'log:1' },
      { id: 'n2', offset: 2, sender, payload: { n: 2 } },
    ]);
    const { payload } = await alice.ask({ type: 'history', room: 'log:1' });
    expect(payload?.messages).toMatchObject([{ id: 'n1', offset: 1 }, { id: 'n2', offset: 2 }, { type: 'barrier' }]);
  });

  test('many simultaneous calls: one order for all, the order of the calls', async () => {
    const clients = [await enter('alice', 0, 'log:many'), await enter('bob', 1, 'log:many')];
    const sent = await Promise.allSettled(
      Array.from({ length: 90 }, (_, n) => hubbub.publishToRoom('log:many', { type: 'n', id: `${n}` })),
    );
    expect(sent.map(result => result.status === 'fulfilled' && result.value.offset)).toEqual(
      Array.from({ length: 90 }, (_, n) => n + 1),
    );
    for (const client of clients) {
      await client.nextFrame({ type: 'n', id: '89' });
      const ids = client.frames.flatMap(({ type, id }) => (type === 'n' ? [Number(id)] : []));
      expect(ids).toEqual(Array.from({ length: 90 }, (_, n) => n));
    }
  });

  test('without a history a repeated key publishes nothing either, to a room, a user and all', async () => {
    const alice = await enter('alice', 0, 'plain');
    for (const publish of [
      (type: string) => hubbub.publishToRoom('plain', { type, idempotencyKey: 'r' }),
      (type: string) => hubbub.publishToUser('alice', { type, idempotencyKey: 'u' }),
      (type: string) => hubbub.publishToAll({ type, idempotencyKey: 'a' }),
    ]) {
      expect(await publish('once')).toMatchObject({ repeated: false });
      expect(await publish('twice')).toMatchObject({ repeated: true });
      await alice.nextFrame('once');
    }
    await hubbub.publishToRoom('plain', { type: 'barrier' });
    await alice.noFrame('twice', () => alice.nextFrame('barrier'));
  });

  test.each(['plain-x', 'log:x'])('in %s excludes a user and a session', async room => {
    const [alice, phone, bob] = [
      await enter('alice', 0, room),
      await enter('alice', 1, room),
      await enter('bob', 0, room),
    ];
    await hubbub.publishToRoom(room, { type: 'past.user', excludeUser: 'alice' });
    await hubbub.publishToRoom(room, { type: 'past.session', excludeSession: phone.address.id });
    await hubbub.publishToRoom(room, { type: 'barrier' });
    for (const client of [alice, phone, bob]) await client.nextFrame('barrier');
    const got = (client: typeof alice) =>
      client.frames.map(({ type }) => type).filter(type => /^past|room_offset/.test(type));
    const inPlace = room === 'log:x' ? ['room_offset'] : [];
    expect(got(bob)).toEqual(['past.user', 'past.session']);
    expect(got(alice)).toEqual([...inPlace, 'past.session']);
    expect(got(phone)).toEqual([...inPlace, ...inPlace]);
  });

  test('to one session reaches only that one; to a closed session it has no effect and no error', async () => {
    const [alice, other] = [await enter('alice', 0), await enter('alice', 0)];
    await hubbub.publishToSession(alice.address, { type: 'for.you', payload: { n: 1 } }, 'game:1');
    expect(await alice.nextFrame('for.you')).toMatchObject({ room: 'game:1', payload: { n: 1 } });
    await hubbub.publishToSession(other.address, { type: 'barrier' });
    expect(await other.nextFrame('barrier')).not.toHaveProperty('room');
    await other.noFrame('for.you');
    await hubbub.publishToSession({ id: 'gone.1', node: 'edge-1' }, { type: 'for.nobody' });
  });

  test('a session is added to a room with rights, and removed', async () => {
    const alice = await enter('alice', 1);
    await hubbub.addToRoom('board:7', alice.address, ['join']);
    await alice.nextFrame({ type: 'room_opened', payload: { room_id: 'board:7' } });
    expect(await alice.ask({ type: 'send_message', room: 'board:7', payload: {} })).toMatchObject({
      payload: { code: 'FORBIDDEN' },
    });
    await hubbub.publishToRoom('board:7', { type: 'drawn' });
    await alice.nextFrame('drawn');
    await hubbub.removeSession('board:7', alice.address, 'enough');
    expect(await alice.nextFrame('room_closed')).toMatchObject({
      payload: { room_id: 'board:7', removed: true, reason: 'enough' },
    });
  });
});

test('an event is answered to the session that sent it, and published to its room', async () => {
  const [alice, phone, bob] = [
    await enter('alice', 0, 'game:1'),
    await enter('alice', 0, 'game:1'),
    await enter('bob', 1, 'game:1'),
  ];
  service().onEvents('game', { group: 'referee' }, async event => {
    expect(event).toMatchObject({ type: 'move', room: 'game:1', attempt: 1, rooms: ['game:1'] });
    await event.reply({ type: 'move.seen', payload: { by: event.user.id } });
    await hubbub.publishToRoom(event.room ?? '', { type: 'moved', payload: event.payload, sender: event.user });
  });
  alice.send({ type: 'move', room: 'game:1', id: 'm1', payload: { to: 'e4' } });
  expect(await alice.nextFrame('move.seen')).toMatchObject({ id: 'm1', room: 'game:1', payload: { by: 'alice' } });
  expect(await bob.nextFrame('moved')).toMatchObject({ payload: { to: 'e4' }, sender: { id: 'alice', name: 'alice' } });
  await phone.nextFrame('moved');
  await phone.noFrame('move.seen');
});

describe('presence', () => {
  test('returns the members of a room page by page, the rooms of a user, and the online count', async () => {
    const people = await Promise.all(['pa', 'pb', 'pc'].map((user, n) => enter(user, n % 2, 'lobby-p')));
    await eventually(async () => (await hubbub.presence.roster('lobby-p')).count === 3);
    const users: RosterMember[] = [];
    let page: RosterPage | undefined;
    do {
      const cursor: string | undefined = page?.next;
      page = await hubbub.presence.roster('lobby-p', { limit: 2, ...(cursor !== undefined && { cursor }) });
      expect(page.count).toBe(3);
      users.push(...page.users);
    } while (page.next !== undefined);
    expect(users.map(({ id, online }) => `${id} ${online}`).sort()).toEqual(['pa true', 'pb true', 'pc true']);
    const pa = users.find(({ id }) => id === 'pa');
    expect(pa?.sessions).toEqual([{ session_id: people[0]?.address.id, node: 'edge-1' }]);
    expect(await hubbub.presence.user('pa')).toMatchObject({
      online: true,
      sessions: [{ session_id: people[0]?.address.id, node: 'edge-1', rooms: ['lobby-p'] }],
    });
    expect(await hubbub.presence.user('nobody')).toMatchObject({ online: false, sessions: [] });
    await eventually(async () => (await hubbub.presence.online()) >= 3);
  });

  test('refuses a wrong key and invalid arguments, and rejects when presence is down or not configured', async () => {
    const ask = (presence?: { url: string; apiKey: string; timeoutMs?: number }) => {
      const other = connectHubbub({ redisUrl: cluster.redis.url, ...(presence && { presence }) });
      cleanup(() => other.close());
      return other.presence.roster('lobby-p');
    };
    const url = cluster.presence[0]?.adminUrl ?? '';
    await expect(ask({ url, apiKey: 'wrong' })).rejects.toMatchObject({ code: 'UNAUTHORIZED', retryable: false });
    await expect(ask({ url: 'http://127.0.0.1:9', apiKey: API_KEY })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(ask()).rejects.toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('presence') });
    // Another server answers instead of presence.
    await expect(ask({ url: cluster.edge(0).httpUrl, apiKey: API_KEY })).rejects.toMatchObject({ name: 'HubbubError' });
    await expect(hubbub.presence.roster('a b')).rejects.toMatchObject({ code: 'INVALID_ROOM' });
    await expect(hubbub.presence.user('')).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
    await expect(hubbub.presence.roster('lobby-p', { limit: 0 })).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
    for (const presence of [
      { url: 'nowhere', apiKey: 'k' },
      { url, apiKey: '' },
      { url, apiKey: 'a\nb' },
    ]) {
      expect(() => connectHubbub({ redisUrl: cluster.redis.url, presence })).toThrow(
        expect.objectContaining({ code: 'INVALID_FORMAT' }),
      );
    }
  });
});

test('lifecycle: one of two instances hears the members of a room join, leave and rejoin; the other takes over', async () => {
  const heard: string[][] = [[], []];
  const gaps: string[] = [];
  const onGap = ({ reason }: { reason: string }) => gaps.push(reason);
  const instances = [service(), service()];
  const consumers = instances.map((instance, n) =>
    instance.onLifecycle({ group: 'doorman', leaseMs: 1000, onGap }, event => {
      if ('room' in event && event.room === 'hall:1')
        heard[n]?.push(`${event.event} ${'user' in event ? event.user : ''}`);
    }),
  );
  await eventually(() => consumers.some(consumer => consumer.leading));
  const first = consumers[0]?.leading ? 0 : 1;
  const all = () => [...(heard[first] ?? []), ...(heard[1 - first] ?? [])].filter(text => text.startsWith('member_'));
  const has = (...texts: string[]) =>
    eventually(() => texts.every((text, n) => all()[n] === text) && all().length === texts.length, {
      describe: `exactly ${texts.join(', ')}`,
    });
  const alice = await enter('alice', 0, 'hall:1');
  await has('member_joined alice');
  await alice.terminate();
  await has('member_joined alice', 'member_offline alice');
  expect(heard[1 - first]).toEqual([]);
  await consumers[first]?.close();
  await eventually(() => consumers[1 - first]?.leading);
  const back = await enter('alice', 1, 'hall:1');
  await has('member_joined alice', 'member_offline alice', 'member_online alice');
  await back.ask({ type: 'leave_room', payload: { room_id: 'hall:1' } });
  await has('member_joined alice', 'member_offline alice', 'member_online alice', 'member_left alice');
  expect(heard[1 - first]?.filter(text => text.startsWith('member_'))).toEqual([
    'member_online alice',
    'member_left alice',
  ]);
  expect(gaps, 'the takeover missed nothing').toEqual(['began']);
});
