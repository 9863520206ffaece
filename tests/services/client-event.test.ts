/** Client events for services: acknowledged means in the stream, with what the edge knows and no claim of the client. */
import type { TokenRequest } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { connect } from '../support/raw-client.js';
import { code, type Entry, enter, eventsOf, NAMESPACES } from './client-events.js';

const payloadOf = (entry: Entry | undefined) => JSON.parse(entry?.payload ?? 'null') as unknown;

describe('with Redis', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startCluster({ edges: 1, presence: 0, env: withNamespaces(NAMESPACES) });
  });
  const events = async (type: string, namespace = 'vote') =>
    (await eventsOf(cluster.redis, namespace)).filter(entry => entry.type === type);

  test('an event is stamped with what the edge knows; claims of the client about itself are ignored', async () => {
    const alice = await enter(cluster, 'alice', ['general', 'vote:1']);
    const before = Date.now();
    const forged = { user: { id: 'root' }, session: 'other', node: 'x', sender: { id: 'root', name: 'root' }, at: 1 };
    alice.send({
      type: 'vote_submitted',
      room: 'vote:1',
      id: 'v1',
      message_id: 'm1',
      payload: { choice: 'b' },
      ...forged,
    });
    expect(await alice.nextFrame({ id: 'v1' })).toMatchObject({ type: 'ack', room: 'vote:1' });
    const [entry, ...more] = await events('vote_submitted');
    expect(more).toEqual([]);
    const { at = '', ...fields } = entry ?? {};
    expect(fields).toEqual({
      type: 'vote_submitted',
      room: 'vote:1',
      id: 'v1',
      payload: '{"choice":"b"}',
      user: '{"id":"alice","name":"ALICE"}',
      session: alice.session,
      node: 'edge-1',
      rooms: '["general","vote:1"]',
    });
    expect(Number(at)).toBeGreaterThanOrEqual(before);
    expect(Number(at)).toBeLessThanOrEqual(Date.now());
  });

  test('MessagePack values that JSON does not have come in their documented form', async () => {
    const bob = await enter(cluster, 'bob', ['vote:2'], { encoding: 'msgpack' });
    const payload = { bytes: Uint8Array.of(1, 2, 255), when: new Date(0), ratio: Number.NaN, list: [new Date(1)] };
    expect(code(await bob.ask({ type: 'order.placed', room: 'vote:2', payload }))).toBe('ack');
    expect(payloadOf((await events('order.placed'))[0])).toEqual({
      bytes: { $base64: 'AQL/' },
      when: '1970-01-01T00:00:00.000Z',
      ratio: null,
      list: ['1970-01-01T00:00:00.001Z'],
    });
  });

  test('without an id the edge assigns one, a missing payload is empty, and the answer still arrives', async () => {
    const carol = await enter(cluster, 'carol', ['vote:3']);
    carol.send({ type: 'order.empty', room: 'vote:3' });
    const { id = '' } = await carol.nextFrame('ack');
    carol.send({ type: 'order.empty', room: 'vote:3', payload: null });
    expect((await carol.nextFrame('ack')).id).not.toBe(id);
    const found = await events('order.empty');
    expect(found.map(payloadOf)).toEqual([{}, {}]);
    expect(found[0]?.id).toBe(id);
  });

  test.each([
    ['a type that the namespace does not name', 'vote:4', 'vote_withdrawn'],
    ['a type that only begins like a name', 'vote:4', 'vote_submitted_twice'],
    ['a type that only begins almost like a pattern', 'vote:4', 'orders'],
    ['a namespace that takes none', 'closed:4', 'vote_submitted'],
    ['what an edge says, even where all types are taken', 'open:4', 'user_joined'],
    ['what services control, even where all types are taken', 'open:4', 'hubbub.close_room'],
  ])('%s is UNKNOWN_TYPE and reaches no client', async (_, room, type) => {
    const dave = await enter(cluster, 'dave', [room]);
    expect(await dave.ask({ type, room })).toMatchObject({ type: 'error', room, payload: { code: 'UNKNOWN_TYPE' } });
    expect(await events(type, room.split(':')[0])).toEqual([]);
    expect(code(await dave.ask({ type: 'ping' }))).toBe('pong');
  });

  test('* accepts every other name', async () => {
    const dave = await enter(cluster, 'dave', ['open:5']);
    expect(code(await dave.ask({ type: 'any.thing_at_all', room: 'open:5' }))).toBe('ack');
    expect(await events('any.thing_at_all', 'open')).toHaveLength(1);
  });

  test.each([
    [['chat:*'], 'FORBIDDEN'],
    [['general'], 'FORBIDDEN'],
    [[], 'FORBIDDEN'],
    [{ default: ['join'] }, 'FORBIDDEN'],
    [{ default: ['event'] }, 'ack'],
    [['*'], 'ack'],
    [undefined, 'ack'],
  ] as const)(
    'an event about no room needs the right event for the room default: rooms %j is answered %s',
    async (rooms, answer) => {
      const token = cluster.token({ user: 'nina', ...(rooms !== undefined && { rooms }) } as TokenRequest);
      const nina = await connect(cluster.edge(0).wsUrl, { name: 'nina', token });
      expect(code(await nina.ask({ type: 'page_left', payload: { rooms } }))).toBe(answer);
    },
  );

  test('a small event of a session in many rooms stays small in the stream', async () => {
    const long = Array.from({ length: 50 }, (_, n) => `vote:${n}-${'x'.repeat(100)}`);
    const olga = await enter(cluster, 'olga', ['vote:10', ...long]);
    expect(code(await olga.ask({ type: 'order.small', room: long[49], payload: {} }))).toBe('ack');
    const [entry] = await events('order.small');
    expect(JSON.parse(entry?.rooms ?? '')).toEqual(['vote:10', ...long.slice(0, 4)]);
    expect(JSON.stringify(entry).length).toBeLessThan(1300);
  });

  test('a client that is not in the room, or has no right there, cannot send an event', async () => {
    const erin = await enter(cluster, 'erin');
    expect(code(await erin.ask({ type: 'vote_submitted', room: 'vote:6' }))).toBe('NOT_IN_ROOM');
    const token = cluster.token({ user: 'frank', rooms: { 'vote:*': ['join', 'publish'] } });
    const frank = await connect(cluster.edge(0).wsUrl, { name: 'frank', token });
    await frank.join('vote:6');
    expect(code(await frank.ask({ type: 'vote_submitted', room: 'vote:6' }))).toBe('FORBIDDEN');
    expect((await events('vote_submitted')).filter(({ room }) => room === 'vote:6')).toEqual([]);
  });

  test('a payload that is not an object, or too deep, is refused like any other', async () => {
    const grace = await enter(cluster, 'grace', ['vote:7']);
    const deep = JSON.parse(`${'{"x":'.repeat(20)}1${'}'.repeat(20)}`) as object;
    for (const payload of ['text', [1], deep]) {
      expect(code(await grace.ask({ type: 'order.bad', room: 'vote:7', payload }))).toBe('INVALID_PAYLOAD');
    }
    expect(await events('order.bad')).toEqual([]);
  });

  test('without a room it belongs to the room of the path; after leaving that, to no room', async () => {
    const token = cluster.token({ user: 'heidi' });
    const heidi = await connect(cluster.edge(0).roomUrl('vote:8'), { name: 'heidi', token });
    await heidi.nextFrame('welcome');
    expect(await heidi.ask({ type: 'order.path' })).toMatchObject({ type: 'ack', room: 'vote:8' });
    expect((await events('order.path'))[0]?.room).toBe('vote:8');
    await heidi.ask({ type: 'leave_room', payload: { room_id: 'vote:8' } });
    expect(code(await heidi.ask({ type: 'order.path' }))).toBe('NOT_IN_ROOM');
  });

  test('without any room it belongs to the default namespace, which must take it', async () => {
    const ivan = await enter(cluster, 'ivan', ['vote:9']);
    expect(await ivan.ask({ type: 'page_viewed', payload: { page: '/' } })).not.toHaveProperty('room');
    expect(code(await ivan.ask({ type: 'vote_submitted' }))).toBe('UNKNOWN_TYPE');
    const [entry, ...more] = await events('page_viewed', 'default');
    expect(more).toEqual([]);
    expect(entry).not.toHaveProperty('room');
    expect(entry).toMatchObject({ rooms: '["vote:9"]', payload: '{"page":"/"}' });
  });

  test('a session without a token needs the right event of the default namespace for that', async () => {
    const nobody = await connect(cluster.edge(0).wsUrl, { name: 'nobody' });
    expect(code(await nobody.ask({ type: 'page_viewed' }))).toBe('FORBIDDEN');
  });

  test('the events of a session are in the order of its frames', async () => {
    const judy = await enter(cluster, 'judy', ['vote:10']);
    const count = 150;
    for (let n = 0; n < count; n++) judy.send({ type: 'order.numbered', room: 'vote:10', id: `n${n}`, payload: { n } });
    await judy.nextFrame({ type: 'ack', id: `n${count - 1}` });
    const numbers = (await events('order.numbered')).map(entry => (payloadOf(entry) as { n: number }).n);
    expect(numbers).toEqual(Array.from({ length: count }, (_, n) => n));
  });

  test('a repeated message_id of one user is acknowledged as a duplicate; of another user it is another event', async () => {
    const once = { type: 'order.once', room: 'vote:11', message_id: 'same' };
    const kim = await enter(cluster, 'kim', ['vote:11']);
    const again = await enter(cluster, 'kim', ['vote:11']);
    const other = await enter(cluster, 'leo', ['vote:11']);
    const duplicates: unknown[] = [];
    for (const client of [kim, kim, again, other]) {
      const answer = await client.ask(once);
      expect(answer).toMatchObject({ type: 'ack', payload: { message_id: 'same' } });
      duplicates.push(answer.payload?.duplicate);
    }
    expect(duplicates).toEqual([undefined, true, true, undefined]);
    const users = (await events('order.once')).map(({ user = '' }) => (JSON.parse(user) as { id: string }).id);
    expect(users).toEqual(['kim', 'leo']);
  });

  test('the same id from two tabs is two events: only message_id identifies an event', async () => {
    const [one, two] = [await enter(cluster, 'lia', ['vote:13']), await enter(cluster, 'lia', ['vote:13'])];
    for (const client of [one, two]) {
      client.send({ type: 'order.counted', room: 'vote:13', id: '1' });
      expect(code(await client.nextFrame({ id: '1' }))).toBe('ack');
    }
    expect(await events('order.counted')).toHaveLength(2);
  });

  test('message_ids that look alike with their user prepended are kept apart', async () => {
    const [ada, bea] = [await enter(cluster, 'a', ['vote:12']), await enter(cluster, 'a/b', ['vote:12'])];
    for (const [client, id] of [[ada, 'b/c'] as const, [bea, 'c'] as const]) {
      expect(code(await client.ask({ type: 'order.alike', room: 'vote:12', message_id: id }))).toBe('ack');
    }
    expect(await events('order.alike')).toHaveLength(2);
  });

  test('metrics count events without naming their types', async () => {
    const text = await (await fetch(`${cluster.edge(0).adminUrl}/metrics`)).text();
    expect(text).toMatch(/hubbub_edge_frames_total\{type="client_event",result="ok"\} [1-9]/);
    expect(text).toMatch(/hubbub_edge_client_events_total\{result="repeated"\} 2/);
    expect(text).not.toContain('vote_submitted');
  });
});
