/** A service excludes a user or a session from a message: all others get it, and nothing else is lost, doubled or out of order. */
import { openRedisBrokerClient } from '@hubbub/broker';
import { HubbubClient } from '@hubbub/client';
import { Channels, encodeEnvelope, type Frame, jsonCodec } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { beforeAll, expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { cleanup } from '../support/cleanup.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { connect, type RawClient } from '../support/raw-client.js';

const NAMESPACES = {
  log: { public: true, historySize: 100, historyTtlMs: 60_000 },
  ticks: { public: true, conflate: true },
};

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startCluster({ edges: 2, presence: 0, env: withNamespaces(NAMESPACES) });
});

async function enter(user: string, edge: number, room: string, encoding: 'json' | 'msgpack' = 'json') {
  const name = `${user} at ${edge} in ${encoding}`;
  const client = await connect(cluster.edge(edge).wsUrl, { name, token: cluster.token({ user }), encoding });
  const session = String((await client.nextFrame('welcome')).payload?.session_id);
  await client.join(room);
  return Object.assign(client, { session });
}

/** Two sessions of alice in each encoding at edge 0 and one at edge 1; bob at both. */
async function gather(room: string) {
  const alices = await Promise.all([
    enter('alice', 0, room),
    enter('alice', 0, room),
    enter('alice', 0, room, 'msgpack'),
    enter('alice', 0, room, 'msgpack'),
    enter('alice', 1, room),
  ]);
  const bobs = await Promise.all([enter('bob', 0, room), enter('bob', 0, room, 'msgpack'), enter('bob', 1, room)]);
  return { alices, bobs, all: [...alices, ...bobs] };
}

const publish = (channel: string, message: object) =>
  cluster.redis.cli('PUBLISH', `${cluster.redis.prefix}:${channel}`, JSON.stringify(message));
const namesOf = (client: RawClient, type: string) =>
  client.frames.filter(frame => frame.type === type).map(({ id }) => id);

test.each(['plain', 'ticks:eur'])('in %s no session of the user gets it, on either edge; all others do', async room => {
  const { alices, bobs, all } = await gather(room);
  await publish(`room:{${room}}`, { type: 'said', exclude_user: 'alice', key: 'k', payload: { n: 1 } });
  await publish(`room:{${room}}`, { type: 'barrier' });
  for (const bob of bobs) {
    expect(await bob.nextFrame('said')).toEqual({
      type: 'said',
      room,
      payload: { n: 1 },
      timestamp: expect.any(String),
    });
  }
  for (const client of all) await client.nextFrame('barrier');
  for (const alice of alices) await alice.noFrame('said');
});

test('of several messages in one turn every session gets those for it, once and in order', async () => {
  const room = 'turns';
  const { alices, all } = await gather(room);
  const [left] = alices;
  const redis = cluster.redis.connection();
  const count = 200;
  // One write to Redis, and so few reads at the edge: many messages of one turn of its loop.
  const pipeline = redis.pipeline();
  for (let n = 0; n < count; n++) {
    const excluded = [{}, { exclude_user: 'alice' }, {}, { exclude_session: left?.session }, { exclude_user: 'bob' }][
      n % 5
    ];
    pipeline.publish(`${cluster.redis.prefix}:room:{${room}}`, JSON.stringify({ type: 'n', id: `${n}`, ...excluded }));
  }
  pipeline.publish(`${cluster.redis.prefix}:room:{${room}}`, JSON.stringify({ type: 'barrier' }));
  await pipeline.exec();
  const expected = (mayHave: (kind: number) => boolean) =>
    Array.from({ length: count }, (_, n) => n)
      .filter(n => mayHave(n % 5))
      .map(String);
  for (const client of all) {
    await client.nextFrame('barrier');
    const wanted = client.name.startsWith('bob')
      ? expected(kind => kind !== 4)
      : expected(kind => kind !== 1 && (kind !== 3 || client !== left));
    expect(namesOf(client, 'n'), client.name).toEqual(wanted);
  }
});

test('large messages, which the engine does not batch, keep their order too', async () => {
  const room = 'large';
  const { alices, all } = await gather(room);
  const redis = cluster.redis.connection();
  const pipeline = redis.pipeline();
  for (let n = 0; n < 12; n++) {
    const payload = { filler: 'x'.repeat(n % 2 === 0 ? 20_000 : 10) };
    const message = { type: 'n', id: `${n}`, payload, ...(n % 3 === 0 && { exclude_user: 'alice' }) };
    pipeline.publish(`${cluster.redis.prefix}:room:{${room}}`, JSON.stringify(message));
  }
  pipeline.publish(`${cluster.redis.prefix}:room:{${room}}`, JSON.stringify({ type: 'barrier' }));
  await pipeline.exec();
  const numbers = Array.from({ length: 12 }, (_, n) => n);
  for (const client of all) {
    await client.nextFrame('barrier');
    const mine = alices.some(alice => alice === client) ? numbers.filter(n => n % 3 !== 0) : numbers;
    expect(namesOf(client, 'n'), client.name).toEqual(mine.map(String));
  }
});

test('excluding the only user of a room costs nothing and breaks nothing', async () => {
  const room = 'alone';
  const alices = [await enter('alice', 0, room), await enter('alice', 0, room, 'msgpack')];
  await publish(`room:{${room}}`, { type: 'said', exclude_user: 'alice' });
  await publish(`room:{${room}}`, { type: 'said', exclude_user: 'nobody', exclude_session: 'nowhere' });
  for (const alice of alices) {
    await alice.nextFrame('said');
    await alice.noFrame('said');
  }
});

test('the same holds for messages to a user and to all', async () => {
  const [alice, other, bob] = [await enter('alice', 0, 'x'), await enter('alice', 1, 'x'), await enter('bob', 0, 'x')];
  await publish('user:{alice}', { type: 'note', exclude_session: alice.session });
  await other.nextFrame('note');
  await publish('broadcast', { type: 'news', exclude_user: 'alice' });
  await bob.nextFrame('news');
  await publish('broadcast', { type: 'barrier' });
  for (const client of [alice, other]) {
    await client.nextFrame('barrier');
    await client.noFrame('news');
  }
  await alice.noFrame('note');
});

test.each([
  ['a number', { exclude_user: 7 }],
  ['a list', { exclude_session: ['s'] }],
])('%s as excluded user or session is malformed: the message reaches no client', async (_, wrong) => {
  const bob = await enter('bob', 0, 'wrong');
  await publish('room:{wrong}', { type: 'said', ...wrong });
  await publish('room:{wrong}', { type: 'barrier' });
  await bob.nextFrame('barrier');
  await bob.noFrame('said');
});

test('in a room with history the offset of the message is sent, so that the SDK misses nothing and reports no gap', async () => {
  const room = 'log:1';
  const alice = await enter('alice', 0, room);
  const bob = await enter('bob', 1, room);
  const client = new HubbubClient({ url: cluster.edge(0).wsUrl, token: cluster.token({ user: 'alice' }) });
  cleanup(() => client.close());
  await client.connect();
  const heard: string[] = [];
  const gaps: unknown[] = [];
  client.on('gap', gap => gaps.push(gap));
  client.room(room).on('said', ({ id }) => heard.push(String(id)));
  await client.room(room).join();

  const brokerClient = openRedisBrokerClient(cluster.redis.url, {
    prefix: cluster.redis.prefix,
    commandTimeoutMs: 5000,
    nodeLeaseMs: 8000,
    onError: () => {},
  });
  cleanup(() => brokerClient.close());
  const say = (id: string, excludeUser?: string) =>
    brokerClient.history.append({
      room,
      channel: new Channels(cluster.redis.prefix).room(room),
      envelope: encodeEnvelope(
        { encoding: 'json', publishedAtMs: Date.now(), ...(excludeUser !== undefined && { excludeUser }) },
        jsonCodec.encode({ type: 'said', id }),
      ),
      known: undefined,
      idempotencyKey: id,
      size: 100,
      ttlMs: 60_000,
    });
  const connected = () =>
    say('one').then(
      () => true,
      () => false,
    );
  await eventually(connected, { describe: 'the service is connected' });
  await say('two', 'alice');
  await say('three');
  await eventually(() => heard.length === 2);
  expect(heard).toEqual(['one', 'three']);
  expect(gaps).toEqual([]);
  expect(await alice.nextFrame('room_offset')).toEqual({
    type: 'room_offset',
    room,
    epoch: expect.any(String),
    offset: 2,
    timestamp: expect.any(String),
  });
  await bob.nextFrame({ type: 'said', id: 'three' });
  expect(namesOf(bob, 'said')).toEqual(['one', 'two', 'three']);
  await bob.noFrame('room_offset');
  // The exclusion belongs to the message: it holds in the history and in a replay, too.
  const page = async (client: typeof alice, query: object) => {
    const { payload } = await client.ask({ type: 'history', room, payload: query });
    const messages = (payload?.messages ?? []) as readonly Frame[];
    return [messages.map(({ id }) => id), payload?.more];
  };
  expect(await page(alice, {})).toEqual([['one', 'three'], false]);
  expect(await page(alice, { limit: 2 })).toEqual([['three'], true]);
  expect(await page(bob, {})).toEqual([['one', 'two', 'three'], false]);
  // A page without a message for alice: `next` is the position of the next one, in both directions.
  const here = client.room(room);
  expect(await here.history({ before: 3, limit: 1 })).toMatchObject({ messages: [], more: true, next: 2 });
  expect(await here.history({ before: 2, limit: 1 })).toMatchObject({ messages: [{ id: 'one' }], more: false });
  expect(await here.history({ since: 1, limit: 1 })).toMatchObject({ messages: [], more: true, next: 2 });
  expect(await here.history({ since: 2, limit: 1 })).toMatchObject({ messages: [{ id: 'three' }], more: false });
  const later = await enter('alice', 1, room);
  const { payload } = await alice.ask({ type: 'history', room, payload: { limit: 1 } });
  await later.ask({ type: 'resume', payload: { rooms: [{ room_id: room, epoch: payload?.epoch, offset: 0 }] } });
  const named = ({ room: where, type, id, offset }: Frame) =>
    where === room && offset !== undefined ? [`${type} ${id ?? offset}`] : [];
  expect(later.frames.flatMap(named)).toEqual(['said one', 'room_offset 2', 'said three']);
});
