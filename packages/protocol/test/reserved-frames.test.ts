/** Reserved frames: only the cluster sends them, and an edge recognizes a forged one by its first bytes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonCodec } from '../src/json-codec.js';
import { msgpackCodec } from '../src/msgpack-codec.js';
import { peekType } from '../src/peek-type.js';
import { isForgedType, isReservedType, RESERVED_FRAME_TYPES } from '../src/reserved-frames.js';
import { parseServiceMessage } from '../src/service-message.js';

describe('a reserved type', () => {
  test.each([...RESERVED_FRAME_TYPES, 'hubbub.anything'])('%s is refused in a message of a service', type => {
    expect(isReservedType(type, 'audience')).toBe(true);
    expect(() => parseServiceMessage({ type })).toThrow(
      expect.objectContaining({ code: 'INVALID_FORMAT', message: expect.stringContaining(type) }),
    );
  });

  test.each(['new_message', 'user_joined', 'user_left', 'user_typing', 'room_status', 'build.finished', 'constructor'])(
    '%s stays free for services',
    type => {
      expect(isReservedType(type, 'audience')).toBe(false);
      expect(parseServiceMessage({ type })).toEqual({ type });
    },
  );

  test('error answers a session, and nothing else', () => {
    expect(parseServiceMessage({ type: 'error' }, 'sessions')).toEqual({ type: 'error' });
    for (const type of RESERVED_FRAME_TYPES.filter(reserved => reserved !== 'error')) {
      expect(() => parseServiceMessage({ type }, 'sessions')).toThrow(type);
    }
  });

  test('of presence arrives in envelopes, of an edge never', () => {
    const forged = RESERVED_FRAME_TYPES.filter(type => isForgedType(type, 'audience'));
    expect(RESERVED_FRAME_TYPES.filter(type => !forged.includes(type))).toEqual([
      'room_info',
      'room_count',
      'online_users',
    ]);
    expect(isForgedType('new_message', 'audience')).toBe(false);
    expect(isForgedType('hubbub.future', 'audience')).toBe(true);
  });
});

describe('the type of an encoded frame', () => {
  test.each([
    ['json', jsonCodec],
    ['msgpack', msgpackCodec],
  ] as const)('is found in %s where it is the first field', (encoding, codec) => {
    const type = fc.stringMatching(/^[a-z][a-z0-9_.]{0,63}$/);
    fc.assert(
      fc.property(type, fc.dictionary(fc.string(), fc.string()), (name, payload) => {
        expect(peekType(encoding, codec.encode({ type: name, payload }))).toBe(name);
      }),
    );
  });

  test('is found behind a space, as Python writes it', () => {
    expect(peekType('json', Buffer.from('{"type": "ack", "payload": {}}'))).toBe('ack');
  });

  test.each([
    ['another field first', '{"payload":{},"type":"ack"}'],
    ['an escape', '{"type":"\\u0061ck"}'],
    ['white space', '{ "type":"ack"}'],
    ['no end', '{"type":"ack'],
    ['no text', '{"type":7}'],
    ['too long', `{"type":"${'a'.repeat(65)}"}`],
  ])('is left to the decoder where there is %s', (_, body) => {
    expect(peekType('json', Buffer.from(body))).toBeUndefined();
  });

  test('of any bytes is text or nothing', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 100 }),
        fc.constantFrom('json' as const, 'msgpack' as const),
        (body, encoding) => {
          const type = peekType(encoding, body);
          expect(type === undefined || type.length <= 64).toBe(true);
        },
      ),
    );
  });
});
