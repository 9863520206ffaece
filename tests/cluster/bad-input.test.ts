/** Bad input from a client gets an error with a code, without effect on others in the room (invariants 7 and 8). */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { connect, type RawClient } from '../support/raw-client.js';

describe('bad frames', () => {
  let cluster: TestCluster;
  let bystander: RawClient;
  let mallory: RawClient;
  let count = 0;

  beforeAll(async () => {
    cluster = await startCluster({ edges: 1, env: { HUBBUB_MAX_ROOMS: '3' } });
    bystander = await connect(cluster.edge(0).wsUrl, {
      name: 'bystander',
      token: cluster.token({ user: 'bystander' }),
      encoding: 'msgpack',
    });
    await bystander.join('general');
  });

  beforeEach(async () => {
    mallory = await connect(cluster.edge(0).wsUrl, { name: 'mallory', token: cluster.token({ user: 'mallory' }) });
    await mallory.join('general');
  });

  /** The session is open, and its next message reaches the bystander, who received nothing else from it. */
  async function expectNoHarm(): Promise<void> {
    count++;
    const id = `fine-${count}`;
    mallory.send({ type: 'send_message', room: 'general', id, message_id: id, payload: { content: 'fine' } });
    await mallory.nextFrame({ type: 'ack', id });
    await bystander.noFrame(
      frame => frame.sender?.id === 'mallory' && frame.type === 'new_message',
      () => bystander.nextFrame({ type: 'new_message', id }),
    );
  }

  const deep = (levels: number) => `${'{"x":'.repeat(levels)}1${'}'.repeat(levels)}`;
  const frame = (fields: object) => JSON.stringify({ type: 'send_message', room: 'general', ...fields });

  test.each<[string, string | Uint8Array, string]>([
    ['not JSON', '{"type":', 'INVALID_FORMAT'],
    ['an empty frame', '', 'INVALID_FORMAT'],
    ['a list', '[]', 'INVALID_FORMAT'],
    ['null', 'null', 'INVALID_FORMAT'],
    ['a number', '42', 'INVALID_FORMAT'],
    ['no type', '{}', 'INVALID_FORMAT'],
    ['a type that is a number', '{"type":1}', 'INVALID_FORMAT'],
    ['a type outside the grammar', '{"type":"Send Message"}', 'INVALID_FORMAT'],
    ['a room that is a list', '{"type":"typing","room":["general"]}', 'INVALID_FORMAT'],
    ['an id that is a number', frame({ id: 1, payload: {} }), 'INVALID_FORMAT'],
    ['an id of 65 bytes', frame({ id: 'x'.repeat(65), payload: {} }), 'INVALID_FORMAT'],
    ['a binary frame on a JSON session', Buffer.from('{"type":"ping"}'), 'INVALID_FORMAT'],
    ['an unknown type', '{"type":"fly"}', 'UNKNOWN_TYPE'],
    ['a type that only edges send', '{"type":"new_message","room":"general","payload":{}}', 'UNKNOWN_TYPE'],
    ['a name of Object.prototype', '{"type":"constructor"}', 'UNKNOWN_TYPE'],
    ['no room', '{"type":"send_message","payload":{}}', 'MISSING_ROOM'],
    ['a join without a room', '{"type":"join_room"}', 'MISSING_ROOM'],
    ['a join of a number', '{"type":"join_room","payload":{"room_id":7}}', 'INVALID_ROOM'],
    ['a room name with a brace', '{"type":"join_room","payload":{"room_id":"a}b"}}', 'INVALID_ROOM'],
    ['a room name of 256 bytes', `{"type":"join_room","payload":{"room_id":"${'x'.repeat(256)}"}}`, 'INVALID_ROOM'],
    ['a room of a namespace that is not public', '{"type":"join_room","payload":{"room_id":"secret:1"}}', 'FORBIDDEN'],
    ['not a member', '{"type":"send_message","room":"elsewhere","payload":{}}', 'NOT_IN_ROOM'],
    ['typing where it is not a member', '{"type":"typing","room":"elsewhere"}', 'NOT_IN_ROOM'],
    ['no payload', frame({}), 'INVALID_PAYLOAD'],
    ['a payload that is text', frame({ payload: 'hi' }), 'INVALID_PAYLOAD'],
    ['a payload that is a list', frame({ payload: [] }), 'INVALID_PAYLOAD'],
    ['a payload 17 levels deep', `{"type":"send_message","room":"general","payload":${deep(17)}}`, 'INVALID_PAYLOAD'],
    ['a payload 600 levels deep', `{"type":"send_message","room":"general","payload":${deep(600)}}`, 'INVALID_PAYLOAD'],
    ['a payload of 257 items', frame({ payload: { list: Array(256).fill(1) } }), 'INVALID_PAYLOAD'],
    [
      'the key __proto__',
      '{"type":"send_message","room":"general","payload":{"__proto__":{"admin":true}}}',
      'INVALID_PAYLOAD',
    ],
    ['a frame of 4,097 bytes', `{"type":"ping","x":"${'x'.repeat(4097 - 21)}"}`, 'TOO_LARGE'],
    ['a frame of 60,000 bytes', `{"type":"ping","x":"${'x'.repeat(60_000)}"}`, 'TOO_LARGE'],
    ['history from what is no offset', '{"type":"history","room":"general","payload":{"since":-1}}', 'INVALID_PAYLOAD'],
    ['resume without rooms', '{"type":"resume","payload":{}}', 'INVALID_PAYLOAD'],
  ])('%s: %j → its code, without effect on others', async (_, data, code) => {
    mallory.sendRaw(data, { binary: typeof data !== 'string' });
    const error = await mallory.nextFrame('error');
    expect(error.payload).toMatchObject({ code, message: expect.stringMatching(/.{10,}/) });
    await expectNoHarm();
  });

  test('a resume with rooms that cannot be converted to text is answered room by room', async () => {
    const rooms = [{ room_id: { toString: 1, valueOf: 1 } }, { room_id: [{ toString: null }] }, { room_id: 'general' }];
    const answer = await mallory.ask({ type: 'resume', payload: { rooms } });
    expect(answer).toMatchObject({
      type: 'ack',
      payload: {
        rooms: [{ error: { code: 'INVALID_ROOM' } }, { error: { code: 'INVALID_ROOM' } }, { room_id: 'general' }],
      },
    });
    await expectNoHarm();
  });

  test('an error echoes the id and the room of its frame', async () => {
    mallory.send({ type: 'send_message', id: 'e1', room: 'elsewhere', payload: {} });
    expect(await mallory.nextFrame('error')).toMatchObject({ id: 'e1', room: 'elsewhere' });
  });

  test('a frame of exactly 4,096 bytes is accepted', async () => {
    const text = `{"type":"ping","x":"${'x'.repeat(4096 - 22)}"}`;
    expect(Buffer.byteLength(text)).toBe(4096);
    mallory.sendRaw(text);
    await mallory.nextFrame('pong');
  });

  test.each<[string, Uint8Array | string]>([
    ['broken MessagePack', Uint8Array.from([0x82, 0xa4])],
    ['two values in one frame', Uint8Array.from([0x80, 0x80])],
    ['a reserved byte', Uint8Array.from([0xc1])],
    ['an empty frame', new Uint8Array(0)],
    ['a map with a number as key', Uint8Array.from([0x81, 0x01, 0x01])],
    ['an unknown extension type', Uint8Array.from([0x81, 0xa4, 0x74, 0x79, 0x70, 0x65, 0xd4, 0x05, 0x00])],
    ['a string that claims 4 GB', Uint8Array.from([0xdb, 0xff, 0xff, 0xff, 0xff])],
    ['4,000 lists in each other', new Uint8Array(4000).fill(0x91)],
    ['the key __proto__', Buffer.concat([Buffer.from([0x81, 0xa9]), Buffer.from('__proto__'), Buffer.from([0x80])])],
    ['a text frame on a MessagePack session', '{"type":"ping"}'],
  ])('on a MessagePack session, %s → INVALID_FORMAT', async (_, data) => {
    const eve = await connect(cluster.edge(0).wsUrl, {
      name: 'eve',
      token: cluster.token({ user: 'eve' }),
      encoding: 'msgpack',
    });
    eve.sendRaw(data, { binary: typeof data !== 'string' });
    expect((await eve.nextFrame('error')).payload).toMatchObject({ code: 'INVALID_FORMAT' });
    await eve.ping();
    await expectNoHarm();
  });

  test('text that is not UTF-8 ends only its own connection', async () => {
    const eve = await connect(cluster.edge(0).wsUrl, { name: 'eve', token: cluster.token({ user: 'eve' }) });
    await eve.nextFrame('welcome');
    eve.sendRaw(Uint8Array.from([0x7b, 0xff, 0xfe, 0x7d]), { binary: false });
    expect((await eve.closed).code).toBe(1006);
    await expectNoHarm();
  });

  test('a frame beyond the bound of the transport ends only its own connection', async () => {
    const eve = await connect(cluster.edge(0).wsUrl, { name: 'eve', token: cluster.token({ user: 'eve' }) });
    await eve.nextFrame('welcome');
    eve.sendRaw(`{"type":"ping","x":"${'x'.repeat(70_000)}"}`);
    expect((await eve.closed).code).toBe(1006);
    await expectNoHarm();
  });

  test('a session joins at most max_rooms rooms; a repeated join gets the same answer', async () => {
    for (const room of ['one', 'two', 'two']) await mallory.join(room);
    const refused = await mallory.ask({ type: 'join_room', payload: { room_id: 'three' } });
    expect(refused).toMatchObject({ type: 'error', payload: { code: 'ROOM_LIMIT' } });
    await mallory.ask({ type: 'leave_room', payload: { room_id: 'one' } });
    await mallory.join('three');
  });
});
