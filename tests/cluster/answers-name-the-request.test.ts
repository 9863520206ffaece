/** Every answer repeats a readable `id` of its request, whatever else in the frame is malformed. */
import { CLIENT_FRAME_TYPES, type Encoding } from '@hubbub/protocol';
import { ExtData, encode } from '@msgpack/msgpack';
import { beforeAll, describe, expect, test } from 'vitest';
import { startEmbedded, type TestCluster } from '../support/cluster.js';
import { connect, type RawClient } from '../support/raw-client.js';

const ROOM = 'general';
const TYPES = [...CLIENT_FRAME_TYPES, 'client.event'];
/** Not UTF-8. */
const BROKEN_TEXT = Uint8Array.of(0xa1, 0xff);

/** A value on the wire in each encoding; `undefined` if the encoding cannot hold it. */
interface Raw {
  readonly json?: string;
  readonly msgpack?: Uint8Array;
}

function raw(value: unknown): Raw {
  return { json: JSON.stringify(value), msgpack: encode(value) };
}

/** Nested arrays. */
function nested(levels: number): unknown {
  return levels === 0 ? 1 : [nested(levels - 1)];
}

/** A map of one entry with arbitrary bytes as its parts. */
function entry(key: Uint8Array, value: Uint8Array): Uint8Array {
  return Uint8Array.of(0x81, ...key, ...value);
}

const BROKEN_PAYLOADS: Readonly<Record<string, Raw>> = {
  text: raw('text'),
  list: raw([1]),
  'a number': raw(7),
  'nested too deep': raw({ deep: nested(40) }),
  'too many keys': raw({ many: Array.from({ length: 600 }, () => 1) }),
  'half a character': { json: '{"a":"\\ud83d"}', msgpack: entry(encode('a'), BROKEN_TEXT) },
  'half a character in a key': { json: '{"\\ud83d":1}', msgpack: entry(BROKEN_TEXT, encode(1)) },
  __proto__: { json: '{"__proto__":{"a":1}}', msgpack: entry(encode('__proto__'), encode({ a: 1 })) },
  'an extension': { msgpack: entry(encode('a'), encode(new ExtData(7, Uint8Array.of(1, 2)))) },
  'a key that is not text': { msgpack: entry(encode(7), encode(1)) },
  'a room_id that is not text': raw({ room_id: { a: 1 } }),
  'a room_id that is not a room name': raw({ room_id: 'no room!' }),
  'a malformed position': raw({ room_id: ROOM, epoch: 7, offset: 'x', since: -1, after: 'x' }),
  'rooms: a number': raw({ rooms: 7 }),
  'fields of wrong types': raw({ room_id: ROOM, token: 7, status: 7, limit: 'x' }),
  'too large': raw({ filler: 'x'.repeat(20_000) }),
};

/** The malformed fields of a frame, except for its `id`, by name. */
const BROKEN_FIELDS: Readonly<Record<string, Readonly<Record<string, Raw>>>> = {
  'type: a number': { type: raw(7) },
  'type: camelCase': { type: raw('camelCase') },
  'type: too long': { type: raw('x'.repeat(65)) },
  'room: a number': { room: raw(7) },
  'room: an object': { room: raw({ toString: 1 }) },
  'room: an invalid name': { room: raw('no room!') },
  'room: too long': { room: raw('x'.repeat(300)) },
  'room: half a character': { room: { json: '"\\ud83d"', msgpack: BROKEN_TEXT } },
  'message_id: empty': { message_id: raw('') },
  'message_id: a number': { message_id: raw(7) },
  'message_id: too long': { message_id: raw('x'.repeat(65)) },
  'another field: half a character': { other: { json: '"\\ud83d"', msgpack: BROKEN_TEXT } },
  ...Object.fromEntries(Object.entries(BROKEN_PAYLOADS).map(([name, payload]) => [`payload: ${name}`, { payload }])),
};

function frameOf(fields: Readonly<Record<string, Raw>>, encoding: Encoding): string | Uint8Array | undefined {
  const entries = Object.entries(fields).map(([name, value]) => [name, value[encoding]] as const);
  if (entries.some(([, value]) => value === undefined)) return undefined;
  if (encoding === 'json') return `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
  const bytes = entries.flatMap(([name, value]) => [...encode(name), ...(value as Uint8Array)]);
  return Uint8Array.of(0x80 + entries.length, ...bytes);
}

let cluster: TestCluster;

beforeAll(async () => {
  const env = { HUBBUB_MAX_REFUSALS_PER_MINUTE: '1000000', HUBBUB_MAX_FRAMES_PER_SECOND: '0' };
  cluster = await startEmbedded({ env: { ...env, HUBBUB_MAX_USER_FRAMES_PER_SECOND: '0' } });
});

async function member(encoding: Encoding): Promise<RawClient> {
  const client = await connect(cluster.edge(0).wsUrl, { encoding, token: cluster.token({ user: 'u1' }) });
  await client.join(ROOM);
  return client;
}

describe.each(['json', 'msgpack'] as const)('in %s', encoding => {
  test.each(TYPES)('%s with any malformed field', async type => {
    const client = await member(encoding);
    const unanswered: string[] = [];
    let count = 0;
    for (const [what, broken] of Object.entries(BROKEN_FIELDS)) {
      const id = `${type}-${++count}`;
      const bytes = frameOf({ id: raw(id), type: raw(type), room: raw(ROOM), payload: raw({}), ...broken }, encoding);
      if (bytes === undefined) continue;
      client.sendRaw(bytes);
      const answer = await client.nextFrame({ id }, { withinMs: 2000 }).catch(() => undefined);
      if (answer === undefined) unanswered.push(what);
      // The error repeats the room of the frame.
      else if (answer.type === 'error' && !what.includes('room')) expect([what, answer.room]).toEqual([what, ROOM]);
      if (type === 'leave_room') await client.join(ROOM);
    }
    expect(unanswered).toEqual([]);
  });

  test('a frame of the other encoding', async () => {
    const client = await member(encoding);
    const frame = { type: 'ping', id: 'other-kind', room: ROOM };
    const other = encoding === 'json' ? encode(frame) : JSON.stringify(frame);
    client.sendRaw(other, { binary: encoding === 'json' });
    const error = { type: 'error', room: ROOM, payload: { code: 'INVALID_FORMAT' } };
    expect(await client.nextFrame({ id: 'other-kind' })).toMatchObject(error);
  });

  test.each(['join_room', 'leave_room'])('the error for %s repeats the room in its payload', async type => {
    const client = await member(encoding);
    const payload = { room_id: 'private room!' };
    expect(await client.ask({ type, payload })).toMatchObject({ type: 'error', room: 'private room!' });
  });
});

test.each([7, '', 'x'.repeat(65), '\ud83d'])('does not echo the malformed id %j', async id => {
  const client = await member('json');
  client.send({ type: 'ping', id, room: ROOM });
  const error = await client.nextFrame('error');
  expect(error).toMatchObject({ room: ROOM, payload: { code: 'INVALID_FORMAT' } });
  expect(error).not.toHaveProperty('id');
});
