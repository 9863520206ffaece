/** A service in any language publishes plain JSON to Redis channels, and malformed messages do no harm. */
import { openRedisBrokerClient } from '@hubbub/broker';
import { encodeEnvelope, jsonCodec, RESERVED_FRAME_TYPES } from '@hubbub/protocol';
import { msgpackCodec } from '@hubbub/protocol/msgpack';
import { eventually, metricValue } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { cleanup } from '../support/cleanup.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { connect, type RawClient } from '../support/raw-client.js';

describe('redis-cli PUBLISH of plain JSON', () => {
  let cluster: TestCluster;
  let alice: RawClient;
  let bob: RawClient;

  beforeAll(async () => {
    cluster = await startCluster({
      edges: 2,
      env: withNamespaces({ log: { public: true, historySize: 100, historyTtlMs: 60_000 } }),
    });
    alice = await connect(cluster.edge(0).wsUrl, { name: 'alice', token: cluster.token({ user: 'alice' }) });
    bob = await connect(cluster.edge(1).wsUrl, {
      name: 'bob',
      token: cluster.token({ user: 'bob' }),
      encoding: 'msgpack',
    });
    await alice.join('general');
    await bob.join('general');
  });

  const publish = (address: string, message: string) =>
    cluster.redis.cli('PUBLISH', `${cluster.redis.prefix}:${address}`, message);

  test('reaches the members of a room on both edges, in both encodings', async () => {
    await publish('room:{general}', '{"type":"build.finished","payload":{"ok":true,"name":"größe"}}');
    for (const member of [alice, bob]) {
      const frame = await member.nextFrame('build.finished');
      expect(frame).toMatchObject({
        room: 'general',
        payload: { ok: true, name: 'größe' },
        timestamp: expect.any(String),
      });
    }
  });

  test('fields outside the protocol reach no client', async () => {
    const unknown = { trace: 'x', room: 'other', offset: 7, epoch: 'e', message_id: 'm', duplicate: true };
    await publish(
      'room:{general}',
      JSON.stringify({ type: 'build.started', id: 'b1', payload: { ok: true }, ...unknown }),
    );
    for (const member of [alice, bob]) {
      const frame = await member.nextFrame('build.started');
      expect(frame).toEqual({
        type: 'build.started',
        id: 'b1',
        room: 'general',
        payload: { ok: true },
        timestamp: expect.any(String),
      });
    }
  });

  test('reaches every session of a user and no one else', async () => {
    const second = await connect(cluster.edge(1).wsUrl, {
      name: 'alice at the other edge',
      token: cluster.token({ user: 'alice' }),
    });
    await second.nextFrame('welcome');
    await publish('user:{alice}', '{"type":"notification.new","payload":{"n":1}}');
    expect(await alice.nextFrame('notification.new')).not.toHaveProperty('room');
    await second.nextFrame('notification.new');
    await publish('room:{general}', '{"type":"barrier"}');
    await bob.noFrame('notification.new', () => bob.nextFrame('barrier'));
  });

  test('reaches everybody', async () => {
    const carol = await connect(cluster.edge(0).wsUrl, { name: 'carol', token: cluster.token({ user: 'carol' }) });
    await carol.nextFrame('welcome');
    await publish('broadcast', '{"type":"maintenance.soon","payload":{"minutes":5}}');
    for (const client of [alice, bob, carol]) await client.nextFrame('maintenance.soon');
  });

  test.each([
    ['not JSON', '{"type":'],
    ['not an object', '[1,2]'],
    ['no type', '{"payload":{}}'],
    ['a type outside the grammar', '{"type":"Build Finished"}'],
    ['a payload that is not an object', '{"type":"a","payload":"text"}'],
    ['a sender without a name', '{"type":"a","sender":{"id":"u"}}'],
    ['the key __proto__', '{"type":"a","payload":{"__proto__":{"x":1}}}'],
    ['nested 2,000 deep', `{"type":"a","payload":{"x":${'['.repeat(2000)}${']'.repeat(2000)}}}`],
    ['an empty message', ''],
    ['an envelope without a body', '\u0001{"e":"j","t":1}\u0002'],
    ['an envelope with a cut header', '\u0001{"e":"j"'],
    ['an envelope with a body that is not an object', '\u0001{"e":"j","t":1}\u0002[1]'],
    ['an envelope with a body that is not MessagePack', '\u0001{"e":"m","t":1}\u0002zzz'],
  ])('malformed (%s): dropped and counted, and the next message arrives', async (_, message) => {
    const before = await malformed();
    await publish('room:{general}', message);
    await eventually(async () => (await malformed()) > before, { describe: 'the malformed message is counted' });
    await publish('room:{general}', '{"type":"after.malformed"}');
    for (const member of [alice, bob]) {
      await member.nextFrame('after.malformed');
      await member.noFrame('a');
    }
  });

  const RESERVED = [...RESERVED_FRAME_TYPES, 'hubbub.future'];
  const envelopeOf = (type: string, header: object = {}, first: object = {}) =>
    Buffer.from(
      encodeEnvelope({ encoding: 'json', publishedAtMs: 1, ...header }, jsonCodec.encode({ ...first, type })),
    ).toString();
  const MADE_BY_PRESENCE = new Set(['room_info', 'room_count', 'online_users']);

  test.each([
    ['a room', 'room:{general}', (type: string) => JSON.stringify({ type, payload: {} })],
    ['a user', 'user:{alice}', (type: string) => JSON.stringify({ type, payload: {} })],
    ['all', 'broadcast', (type: string) => JSON.stringify({ type, payload: {} })],
    ['a room, in an envelope', 'room:{general}', (type: string) => envelopeOf(type)],
    [
      'a room, in an envelope with another field first',
      'room:{general}',
      (type: string) => envelopeOf(type, {}, { id: 'x' }),
    ],
    ['a user, in an envelope', 'user:{alice}', (type: string) => envelopeOf(type)],
    ['all, in an envelope', 'broadcast', (type: string) => envelopeOf(type)],
  ])('reserved frames to %s are dropped and counted', async (_, address, messageOf) => {
    const isEnvelope = messageOf('a').startsWith('\u0001');
    const reserved = RESERVED.filter(type => !isEnvelope || !MADE_BY_PRESENCE.has(type));
    const seen = alice.frames.length;
    const before = await malformed();
    for (const type of reserved) await publish(address, messageOf(type));
    await publish(address, '{"type":"after.reserved"}');
    await alice.nextFrame('after.reserved');
    const types = alice.frames.slice(seen).map(({ type }) => type);
    expect(types.filter(type => reserved.includes(type))).toEqual([]);
    expect((await malformed()) - before).toBeGreaterThanOrEqual(reserved.length);
  });

  test('reserved frames to a session on its node are dropped and counted, except for the error that answers an event', async () => {
    const welcome = alice.frames.find(({ type }) => type === 'welcome');
    const sessions = [String(welcome?.payload?.session_id)];
    const node = cluster.edge(0).nodeId;
    const reserved = RESERVED.filter(type => type !== 'error' && !MADE_BY_PRESENCE.has(type));
    const seen = alice.frames.length;
    const before = await malformed();
    for (const type of reserved) {
      await publish(`node:{${node}}`, JSON.stringify({ type, sessions, payload: {} }));
      await publish(`node:{${node}}`, envelopeOf(type, { sessions }));
    }
    await publish(`node:{${node}}`, JSON.stringify({ type: 'error', id: 'e1', sessions, payload: { code: 'NO' } }));
    await alice.nextFrame({ type: 'error', id: 'e1' });
    const types = alice.frames.slice(seen).map(({ type }) => type);
    expect(types.filter(type => reserved.includes(type))).toEqual([]);
    expect((await malformed()) - before).toBe(2 * reserved.length);
  });

  test('a reserved frame in a history reaches no member, live or by replay, and leaves no hole', async () => {
    const room = 'log:forged';
    await alice.join(room);
    await bob.join(room);
    const history = openRedisBrokerClient(cluster.redis.url, {
      prefix: cluster.redis.prefix,
      commandTimeoutMs: 5000,
      nodeLeaseMs: 10_000,
      waitForConnection: true,
      onError: () => {},
    });
    cleanup(() => history.close());
    const bodies = [
      ['json', jsonCodec.encode({ type: 'room_closed', payload: { room_id: room } })],
      ['msgpack', msgpackCodec.encode({ type: 'room_closed', payload: { room_id: room } })],
      ['json', jsonCodec.encode({ type: 'said', payload: {} })],
    ] as const;
    for (const [encoding, body] of bodies) {
      await history.history.append({
        room,
        channel: `${cluster.redis.prefix}:room:{${room}}`,
        envelope: encodeEnvelope({ encoding, publishedAtMs: Date.now() }, body),
        size: 100,
        ttlMs: 60_000,
      });
    }
    for (const member of [alice, bob]) {
      expect(await member.nextFrame({ type: 'room_offset', room, offset: 1 })).not.toHaveProperty('payload');
      await member.nextFrame({ type: 'room_offset', room, offset: 2 });
      await member.nextFrame({ type: 'said', room, offset: 3 });
      expect(member.frames.filter(({ type }) => type === 'room_closed')).toEqual([]);
    }
    const page = await alice.ask({ type: 'history', room });
    expect(JSON.stringify(page.payload)).not.toContain('room_closed');
    const back = await connect(cluster.edge(1).wsUrl, { name: 'back', token: cluster.token({ user: 'back' }) });
    const epoch = page.payload?.epoch;
    await back.ask({ type: 'resume', payload: { rooms: [{ room_id: room, epoch, offset: 0 }] } });
    expect(back.frames.filter(({ type }) => type === 'room_closed')).toEqual([]);
    await back.nextFrame({ type: 'said', room, offset: 3 });
  });

  /** The number of frames dropped so far by both edges. */
  async function malformed(): Promise<number> {
    let sum = 0;
    for (const edge of cluster.edges) sum += await metricValue(edge, 'hubbub_edge_malformed_envelopes_total');
    return sum;
  }
});
