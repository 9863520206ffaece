/** Frames at their bounds: fields read from bytes without decoding, and malformed requests. */
import { encode } from '@msgpack/msgpack';
import { describe, expect, test } from 'vitest';
import { parseClientFrame, readRequest } from '../src/client-frame.js';
import type { Codec } from '../src/codec.js';
import { controlOfMessage, readControl } from '../src/control.js';
import { decodeEnvelope, encodeEnvelope } from '../src/envelope.js';
import { CLIENT_FRAME_TYPES, EDGE_FRAME_TYPES } from '../src/frame.js';
import { jsonCodec } from '../src/json-codec.js';
import { msgpackCodec } from '../src/msgpack-codec.js';
import { peekType } from '../src/peek-type.js';
import { writeRefusalReason } from '../src/refusal-reason.js';
import { isOwnType } from '../src/reserved-frames.js';
import { roomPrefix, spliceRoom } from '../src/splice.js';

const CODECS: readonly Codec[] = [jsonCodec, msgpackCodec];

describe('the type of an encoded frame', () => {
  test('is read at every length, and not read beyond 64 bytes', () => {
    for (const codec of CODECS) {
      for (let length = 1; length <= 66; length++) {
        const type = 'a'.repeat(length);
        expect(peekType(codec.encoding, codec.encode({ type })), `${codec.encoding} ${length}`).toBe(
          length <= 64 ? type : undefined,
        );
      }
    }
  });

  test('is read of a map of 1 to 15 fields whose first key is type, in MessagePack', () => {
    const fields = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`f${n}`, n]));
    for (let count = 0; count < 15; count++) {
      expect(peekType('msgpack', msgpackCodec.encode({ type: 'ack', ...fields(count) }))).toBe('ack');
    }
    expect(peekType('msgpack', msgpackCodec.encode({ type: 'ack', ...fields(15) }))).toBeUndefined();
    for (const key of ['kind', 'typo', 'ty', 'types']) {
      expect(peekType('msgpack', encode({ [key]: 'ack' })), key).toBeUndefined();
    }
  });

  test.each([
    ['a map without fields', [0x80, 0xa4, 0x74, 0x79, 0x70, 0x65, 0xa1, 0x61]],
    ['an array', [0x91, 0xa4, 0x74, 0x79, 0x70, 0x65, 0xa1, 0x61]],
    ['a number', [0x81, 0xa4, 0x74, 0x79, 0x70, 0x65, 0x07]],
    ['nil', [0x81, 0xa4, 0x74, 0x79, 0x70, 0x65, 0xc0]],
    ['a text that ends early', [0x81, 0xa4, 0x74, 0x79, 0x70, 0x65, 0xa3, 0x61, 0x62]],
    ['a long text that ends early', [0x81, 0xa4, 0x74, 0x79, 0x70, 0x65, 0xd9, 0x03, 0x61, 0x62]],
    ['no value', [0x81, 0xa4, 0x74, 0x79, 0x70, 0x65]],
  ])('is not read of %s in MessagePack', (_, bytes) => {
    expect(peekType('msgpack', Uint8Array.from(bytes))).toBeUndefined();
  });

  test('is read of a text of 8-bit length, however short', () => {
    const bytes = [0x81, 0xa4, 0x74, 0x79, 0x70, 0x65, 0xd9, 0x03, 0x61, 0x63, 0x6b];
    expect(peekType('msgpack', Uint8Array.from(bytes))).toBe('ack');
  });

  test.each(['{"type":', '{"type":7}', '{"type":ack"}', '{"type":"ack', '{"kind":"ack"}', '[{"type":"ack"}]'])(
    'is not read of %s',
    json => expect(peekType('json', Buffer.from(json))).toBeUndefined(),
  );
});

describe('a malformed request', () => {
  test.each([
    [
      { type: 'send_message', id: 'm1', room: 'general', payload: 7 },
      { id: 'm1', room: 'general' },
    ],
    [
      { type: 'join_room', id: 'j1', payload: { room_id: 'general' } },
      { id: 'j1', room: 'general' },
    ],
    [{ type: 'leave_room', payload: { room_id: 'general' }, room: 'other' }, { room: 'general' }],
    [{ type: 'join_room', room: 'general', payload: 'x' }, { room: 'general' }],
    [{ type: 'history', id: 'h1', payload: { room_id: 'general' } }, { id: 'h1' }],
    [{ id: 7, room: ['general'] }, {}],
    [{ id: '', room: 'x'.repeat(256) }, {}],
    [{ id: 'x'.repeat(65), room: '' }, {}],
    ['frame', {}],
    [null, {}],
    [[{ id: 'm1' }], {}],
  ])('%j is answered with %j', (frame, request) => {
    expect(readRequest(frame)).toEqual(request);
  });

  test('keeps a message_id apart from its id', () => {
    const frame = parseClientFrame({ type: 'send_message', id: '1', message_id: 'm1' });
    expect(frame).toMatchObject({ id: '1', messageId: 'm1' });
    expect(parseClientFrame({ type: 'send_message', id: '1', message_id: null })).not.toHaveProperty('messageId');
  });
});

test('a client event cannot have a type that Hubbub defines or reserves', () => {
  const own = [...CLIENT_FRAME_TYPES, ...EDGE_FRAME_TYPES, 'hubbub.anything'];
  for (const type of own) expect(isOwnType(type), type).toBe(true);
  for (const type of ['game.move', 'hubbub', 'x.hubbub.', 'acked']) expect(isOwnType(type), type).toBe(false);
});

describe('a control', () => {
  test.each([
    [{ do: 'add_sessions', room: 'general' }, true],
    [{ do: 'add_sessions', room: 'general', rights: ['send'] }, true],
    [{ do: 'add_sessions', room: 'a b' }, false],
    [{ do: 'add_sessions', room: 7 }, false],
    [{ do: 'add_sessions' }, false],
    [{ do: 'add_sessions', room: 'general', rights: [7] }, false],
    [{ do: 'add_sessions', room: 'general', rights: 'send' }, false],
    [{ do: 'remove_sessions', room: ['general'] }, false],
    [{ do: 'open_room', room: 'general' }, false],
    [{ room: 'general' }, false],
  ])('%j is read: %j', (control, isRead) => {
    expect(readControl(control)).toEqual(isRead ? control : undefined);
  });

  test('is not read from a message whose type lacks the prefix', () => {
    expect(controlOfMessage({ type: 'hubbub.close_room' })).toEqual({ do: 'close_room' });
    expect(controlOfMessage({ type: '1234567close_room' })).toBeUndefined();
  });
});

describe('the header of an envelope', () => {
  const encoded = (header: object): Uint8Array =>
    Uint8Array.from([1, ...Buffer.from(JSON.stringify({ e: 'j', t: 1, ...header })), 2]);

  test.each([{ q: 7 }, { q: ['1'] }, { q: {} }, { r: 7 }, { r: ['general'] }, { r: 'a b' }])(
    'with %j is refused',
    header => {
      expect(decodeEnvelope(encoded({}))).toBeDefined();
      expect(decodeEnvelope(encoded(header))).toBeUndefined();
    },
  );

  test('is only read between its marks', () => {
    const envelope = encodeEnvelope({ encoding: 'json', publishedAtMs: 1 }, Buffer.from('{}'));
    expect(decodeEnvelope(Uint8Array.from([3, ...envelope.subarray(1)]))).toBeUndefined();
    expect(decodeEnvelope(envelope.filter(byte => byte !== 2))).toBeUndefined();
    expect(decodeEnvelope(Uint8Array.of(1, 2))).toBeUndefined();
    expect(decodeEnvelope(encoded({}).with(1, 0x22))).toBeUndefined();
  });

  test('has no value in a field that was not set', () => {
    const body = new Uint8Array();
    const envelope = decodeEnvelope(encodeEnvelope({ encoding: 'json', publishedAtMs: 1 }, body));
    expect(envelope).toEqual({ encoding: 'json', publishedAtMs: 1, body });
  });
});

describe('a room in front of a frame', () => {
  const position = { epoch: 'e', offset: 1 };

  test('is put before a first field after any white space, and nowhere else', () => {
    const splice = (json: string) => {
      const frame = spliceRoom('json', roomPrefix('json', 'r'), Buffer.from(json));
      return frame && Buffer.from(frame).toString();
    };
    expect(splice('{ \t\r\n"type":"a"}')).toBe('{"room":"r", \t\r\n"type":"a"}');
    for (const json of ['{}', '{ }', '["type"]', '"type"', ' {"type":"a"}', ''])
      expect(splice(json), json).toBeUndefined();
  });

  test.each([12, 13])('with a position fits a map of 12 fields, in MessagePack (%i)', count => {
    const body = Object.fromEntries(Array.from({ length: count }, (_, n) => [`f${n}`, n]));
    const frame = spliceRoom('msgpack', roomPrefix('msgpack', 'r'), encode(body), position);
    expect(frame && msgpackCodec.decode(frame)).toEqual(count > 12 ? undefined : { room: 'r', ...position, ...body });
  });

  test.each([31, 32])('keeps a name of %i bytes and offsets of any size, in MessagePack', length => {
    const room = 'r'.repeat(length);
    for (const offset of [1, 0xffff_ffff, 0x1_0000_0000, Number.MAX_SAFE_INTEGER]) {
      const prefix = roomPrefix('msgpack', room);
      expect(prefix.length).toBe(5 + length + (length > 31 ? 2 : 1));
      const frame = spliceRoom('msgpack', prefix, msgpackCodec.encode({ type: 'a' }), { epoch: 'e', offset });
      expect(frame && msgpackCodec.decode(frame)).toEqual({ room, epoch: 'e', offset, type: 'a' });
    }
  });
});

test('a refusal with a long message fills the close reason exactly', () => {
  const reason = (length: number) => writeRefusalReason({ code: 'FORBIDDEN', message: 'x'.repeat(length) });
  const free = 123 - reason(0).length;
  expect([reason(free).length, reason(free + 1).length, reason(300).length]).toEqual([123, 123, 123]);
  expect(reason(300)).toBe(reason(free));
});
